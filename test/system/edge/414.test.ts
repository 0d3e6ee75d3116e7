import { beforeAll, test } from "vitest";
import { testApp } from "../../support/app.ts";
import { expectRefusal } from "./support.ts";

const { call, reset, signUp } = await testApp();
beforeAll(reset);

test("a URL of more than 8,192 characters is 414", async () => {
  const { token } = await signUp();
  const path = `/api/products?search=${"a".repeat(8_192)}`;
  expectRefusal(await call("GET", path, { token }), 414, "URI_TOO_LONG");
});
