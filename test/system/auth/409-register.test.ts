import { beforeAll, expect, test } from "vitest";
import { PASSWORD, testApp } from "../../support/app.ts";

const { call, reset, signUp } = await testApp();
beforeAll(reset);

test.each([["as it is"], ["in upper case"]])("a taken address, %s, is 409", async (spelling) => {
  const { email } = await signUp();
  const given = spelling === "as it is" ? email : email.toUpperCase();
  const body = { email: given, password: PASSWORD, name: "Other" };
  const answer = await call("POST", "/api/auth/register", { body });
  expect(answer.status).toBe(409);
  expect(answer.json).toMatchObject({ success: false, code: "CONFLICT", statusCode: 409 });
  expect(answer.text).not.toContain("users_email_key");
});
