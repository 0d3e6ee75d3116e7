import { describe, expect, test } from "vitest";
import type { Authenticator, AuthInfo, AuthResult } from "../core/index.ts";
import { composeAuthenticators } from "./wire-auth.ts";

const info: AuthInfo = { address: undefined, requestId: "r" };
const absent: AuthResult = { isAuthenticated: false, reason: "absent" };
const refused: AuthResult = { isAuthenticated: false, reason: "refused" };
const admitted: AuthResult = {
  isAuthenticated: true,
  principal: { kind: "user", userId: "u", sessionId: "s", via: "bearer", methods: [], roles: [] },
};

/** Asks authenticators that answer in turn, and tells the result and how many were asked. */
async function ask(
  answers: readonly (AuthResult | Error)[],
  headers: Record<string, string> = { authorization: "Bearer x" },
  more: Partial<AuthInfo> = {},
): Promise<[result: AuthResult, asked: number]> {
  let asked = 0;
  const authenticators = answers.map(
    (answer): Authenticator => ({
      authenticate: () => {
        asked += 1;
        if (answer instanceof Error) throw answer;
        return answer;
      },
    }),
  );
  const request = new Request("http://h/", { headers });
  const result = await composeAuthenticators(authenticators)(request, { ...info, ...more });
  return [result, asked];
}

describe("one after the other, while the answer is absent", () => {
  test.each<[what: string, answers: readonly AuthResult[], result: AuthResult, asked: number]>([
    ["none", [], absent, 0],
    ["the only one", [admitted], admitted, 1],
    ["the first", [admitted, refused], admitted, 1],
    ["the second", [absent, admitted], admitted, 2],
    ["nobody", [absent, absent], absent, 2],
    ["a refusal never falls through", [refused, admitted], refused, 1],
  ])("%s", async (_what, answers, result, asked) => {
    expect(await ask(answers)).toEqual([result, asked]);
  });

  test.each([1, 2])("one of %i that cannot know ends it", async (count) => {
    const answers = [new Error("gone"), ...Array<AuthResult>(count - 1).fill(admitted)];
    await expect(ask(answers)).rejects.toThrow("gone");
  });
});

describe("credentials", () => {
  test("none is absent, and nobody is asked", async () => {
    expect(await ask([admitted], {})).toEqual([absent, 0]);
  });

  test("two are refused as ambiguous, and neither is read", async () => {
    const both = { authorization: "Bearer x", "x-api-key": "y" };
    const ambiguous = { ...refused, code: "INVALID_REQUEST" };
    expect(await ask([admitted], both)).toEqual([ambiguous, 0]);
    expect(await ask([admitted, admitted], both)).toEqual([ambiguous, 0]);
  });

  test("an empty one is one", async () => {
    expect(await ask([refused], { authorization: "" })).toEqual([refused, 1]);
    expect(await ask([admitted], { authorization: "", "x-api-key": "" })).toMatchObject([
      { code: "INVALID_REQUEST" },
      0,
    ]);
  });

  test("are read by the host's own reader where it has one", async () => {
    const get = (name: string): string | null => (name === "x-api-key" ? "k" : null);
    expect(await ask([admitted], {}, { get })).toEqual([admitted, 1]);
    expect(await ask([admitted], { authorization: "Bearer x" }, { get: () => null })).toEqual([
      absent,
      0,
    ]);
  });
});
