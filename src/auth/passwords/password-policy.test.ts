import { describe, expect, test } from "vitest";
import { type PasswordContext, passwordProblems } from "./password-policy.ts";
import { PasswordSchema } from "./password-schema.ts";

describe("the default policy: length, and what is tried first", () => {
  const context: PasswordContext = { email: "somebody@example.com", name: "Grace Brewster Hopper" };

  test.each<[password: string, code: string | undefined]>([
    ["correct horse battery", undefined],
    ["fifteen letters", undefined],
    ["fourteen lettr", "password_too_short"],
    ["", "password_too_short"],
    ["Aa1!Aa1!", "password_too_short"],
    // Code points count, not the halves of one.
    [
      "\u{1f600}\u{1f601}\u{1f602}\u{1f603}\u{1f604}\u{1f605}\u{1f606}\u{1f607}",
      "password_too_short",
    ],
    ["abcdefgh".repeat(32), undefined],
    [`${"abcdefgh".repeat(32)}x`, "password_too_long"],
    ["aaaaaaaaaaaaaaaaaaaa", "password_guessable"],
    ["abcabcabcabcabcabc", "password_guessable"],
    ["AbCaBcAbCaBcAbCaBc", "password_guessable"],
    ["somebody@example.com", "password_guessable"],
    ["SOMEBODY@example.com", "password_guessable"],
    ["grace brewster hopper", "password_guessable"],
    ["               ", "password_guessable"],
  ])("%j: %s", (password, code) => {
    const problems = passwordProblems(password, context, "newPassword");
    expect(problems.map((problem) => [problem.field, problem.code])).toEqual(
      code === undefined ? [] : [["newPassword", code]],
    );
    if (password !== "") expect(JSON.stringify(problems)).not.toContain(password);
  });
});

describe("PasswordSchema: the composition that audits ask for", () => {
  test.each<[password: string, message: string | undefined]>([
    ["Abcdef1!", undefined],
    ["Abcde1!", "Password must be at least 8 characters"],
    ["abcdef1!", "Password must contain at least one uppercase letter"],
    ["ABCDEF1!", "Password must contain at least one lowercase letter"],
    ["Abcdefg!", "Password must contain at least one number"],
    ["Abcdefg1", "Password must contain at least one special character"],
    [`Aa1!${"x".repeat(253)}`, "Password must be at most 256 characters"],
  ])("%j", (password, message) => {
    const { error } = PasswordSchema.safeParse(password);
    expect(error?.issues.map((issue) => issue.message) ?? []).toEqual(
      message === undefined ? [] : [message],
    );
  });
});
