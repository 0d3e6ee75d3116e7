import { setFlagsFromString } from "node:v8";
import { runInThisContext } from "node:vm";
import { expect, test } from "vitest";
import { keepStringMethodsFast } from "./fast-strings.ts";

test("String.prototype is no dictionary, after a class was derived from String", () => {
  setFlagsFromString("--allow-natives-syntax");
  const isFast = runInThisContext("() => %HasFastProperties(String.prototype)") as () => boolean;
  runInThisContext("class Derived extends String {}; Derived");
  expect(isFast()).toBe(false);
  keepStringMethodsFast();
  expect(isFast()).toBe(true);
});
