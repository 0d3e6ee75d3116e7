import { beforeAll, expect, test } from "vitest";
import { testApp } from "../../support/app.ts";
import { expectRefusal } from "./support.ts";

const { call, reset, signUp } = await testApp();
beforeAll(reset);

test.each(["text/html", "application/xml, text/*", "application/json;q=0", "image/png;q=1"])(
  "Accept: %s is 406",
  async (accept) => {
    const { token } = await signUp();
    expectRefusal(
      await call("GET", "/api/products", { token, headers: { accept } }),
      406,
      "NOT_ACCEPTABLE",
    );
  },
);

test.each(["*/*", "application/*", "application/json", "text/html, */*;q=0.1", "APPLICATION/JSON"])(
  "Accept: %s is answered",
  async (accept) => {
    const { token } = await signUp();
    expect((await call("GET", "/api/products", { token, headers: { accept } })).status).toBe(200);
  },
);
