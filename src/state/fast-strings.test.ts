import { setFlagsFromString } from "node:v8";
import { createContext, runInContext } from "node:vm";
import { expect, test } from "vitest";
import { keepStringMethodsFast } from "./fast-strings.ts";

test("String.prototype is no dictionary, after a class was derived from String", () => {
  setFlagsFromString("--allow-natives-syntax");
  // A realm of its own: in this one another test may have loaded ioredis.
  const realm = createContext({});
  const isFast = (): unknown => runInContext("%HasFastProperties(String.prototype)", realm);
  runInContext("class Derived extends String {}", realm);
  expect(isFast()).toBe(false);
  keepStringMethodsFast(runInContext("String.prototype", realm) as object);
  expect(isFast()).toBe(true);
});
