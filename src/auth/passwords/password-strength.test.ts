import { describe, expect, test } from "vitest";
import { PasswordService, passwordStrength } from "./index.ts";

describe("a strength meter", () => {
  test.each<[password: string, words: readonly string[], score: (score: number) => boolean]>([
    ["", [], (score) => score === 0],
    ["password", [], (score) => score === 0],
    ["qwertyuiop", [], (score) => score <= 1],
    ["aaaaaaaaaaaaaaa", [], (score) => score <= 1],
    ["correct horse battery staple", [], (score) => score === 4],
    ["k7#Vq!2mZp9$", [], (score) => score === 4],
    // What is known of the account weighs nothing.
    ["zuzanna kowalska", ["zuzanna", "kowalska", "zuzanna kowalska"], (score) => score <= 1],
  ])("%j with %j", async (password, words, isScore) => {
    const { score } = await passwordStrength(password, words);
    expect(score, String(score)).toSatisfy(isScore);
  });

  test("says in sentences what is weak and how to make it better", async () => {
    const weak = await passwordStrength("aaaaaaaaaaaa");
    expect(weak.warning).toBe("One character repeated is guessed early.");
    expect(weak.suggestions).toContain("Add more words that are less common.");
    for (const text of weak.suggestions) expect(text).toMatch(/^[A-Z].* .*\.$/);
    expect(weak.crackSeconds).toBeLessThan(60);
    const strong = await passwordStrength("correct horse battery staple");
    expect(strong).toMatchObject({ warning: null, suggestions: [] });
    expect(strong.crackSeconds).toBeGreaterThan(1e9);
  });

  test.each([
    "P4$$w0rd1!".repeat(100_000),
    "abc123".repeat(100_000),
    "4@8({[</369&#!1".repeat(100_000),
    "\u{1f600}".repeat(100_000),
  ])("looks at no more than it must of a million characters (%#)", async (password) => {
    await passwordStrength("x");
    const started = performance.now();
    await passwordStrength(
      password,
      Array.from({ length: 1_000 }, () => "w".repeat(10_000)),
    );
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});

describe("the meter of an application", () => {
  const service = new PasswordService({
    policy: { product: "Example", issuer: "https://api.example.com" },
  });

  test.each<[password: string, warning: string]>([
    ["passwordpassword", "This password is one of those tried first."],
    ["api.example.com.example", "This password is too easy to guess."],
    ["zuzanna kowalska", "This password is too easy to guess."],
  ])("calls %j what the policy calls it", async (password, warning) => {
    const strength = await service.strength(password, { name: "Zuzanna Kowalska" });
    expect(strength).toMatchObject({ score: 0, warning });
  });

  test("says the meter's own word too", async () => {
    const { suggestions } = await service.strength("zuzannakowalska", { name: "Zuzanna Kowalska" });
    expect(suggestions[0]).toBe("It should not hold what is known of you or of this site.");
  });

  test("says nothing against a good one, and lets length be counted by others", async () => {
    const good = await service.strength("correct horse battery staple");
    expect(good).toMatchObject({ score: 4, warning: null, suggestions: [] });
    expect((await service.strength("k7#Vq!2mZp9$")).score).toBe(4);
  });
});
