import { describe, expect, test } from "vitest";
import {
  BreachCheck,
  MAX_PASSWORD_LENGTH,
  type PasswordContext,
  PasswordSchema,
  passwordProblems,
} from "./index.ts";

const context: PasswordContext = {
  email: "somebody@example.com",
  name: "Grace Brewster Hopper",
  field: "newPassword",
};
const policy = { product: "Bulwark", issuer: "https://portal.acme-widgets.test:8443" };

const SHORT = "password_too_short";
const COMMON = "password_common";
const GUESSABLE = "password_guessable";

const codesOf = async (password: string, minLength?: number): Promise<string[]> => {
  const problems = await passwordProblems(password, { ...context, minLength }, policy);
  for (const { field, message } of problems) {
    expect(field).toBe("newPassword");
    if (password.length > 8) expect(message).not.toContain(password);
  }
  return problems.map(({ code }) => code);
};

/** Eight different characters outside the basic plane. */
const EMOJI = "\u{1f600}\u{1f47e}\u{1f680}\u{1f525}\u{1f3b8}\u{1f41f}\u{1f9c0}\u{1f3d4}";

describe("the default policy", () => {
  test.each<[password: string, ...codes: string[]]>([
    ["correct horse battery"],
    ["fifteen letters"],
    ["fourteen lettr", SHORT],
    ["", SHORT],
    // Code points count, not the halves of one.
    [EMOJI, SHORT],
    [`${EMOJI}${EMOJI.slice(2)}`],
    // One text counts alike however it was composed: fourteen characters.
    ["cafe\u0301 de la ga\u0302r", SHORT],
    [`${"x7Kq!".repeat(51)}Z`],
    [`${"x7Kq!".repeat(51)}Zz`, "password_too_long"],
    ["x".repeat(100_000), "password_too_long"],
    ["half a \ud83d character", "password_malformed"],
    // Common, in every dress; and every fault is reported.
    ["password", SHORT, COMMON],
    ["PassWord", SHORT, COMMON],
    ["passwordpassword", COMMON, GUESSABLE],
    ["Password12345678", COMMON],
    ["***Dragon***2024!!", COMMON],
    ["1234567890iloveyou", COMMON],
    ["Letmein!Letmein!", COMMON, GUESSABLE],
    ["trustno1trustno1trustno1", COMMON, GUESSABLE],
    ["1qaz2wsx3edc4rfv", COMMON],
    ["dragon is my password"],
    // Chance, not a word.
    ["8274928374a92837492"],
    // Repeats and sequences.
    ["aaaaaaaaaaaaaaaaaaaa", GUESSABLE],
    ["abcabcabcabcabcabc", GUESSABLE],
    ["AbCaBcAbCaBcAbCaBc", GUESSABLE],
    ["zk4tq9wzk4tq9w", SHORT, GUESSABLE],
    ["Zk4!tq9wZk4!tq9w", GUESSABLE],
    ["               ", GUESSABLE],
    ["abcdefghijklmnop", GUESSABLE],
    ["zyxwvutsrqponmlk", GUESSABLE],
    ["4567890123456789", GUESSABLE],
    ["qwertyuiopasdfgh", GUESSABLE],
    ["abcd1234efgh5678", GUESSABLE],
    ["aaaabbbbccccdddd", GUESSABLE],
    ["my dog ate 12345 shoes"],
    // Made of what is known of the account or the application.
    ["somebody@example.com", GUESSABLE],
    ["SOMEBODY@example.com", GUESSABLE],
    ["somebodysomebody", COMMON, GUESSABLE],
    ["grace brewster hopper", GUESSABLE],
    ["GraceBrewsterHopper", GUESSABLE],
    ["hopper-brewster-1906!", GUESSABLE],
    ["bulwark-bulwark-1", GUESSABLE],
    ["portal.acme-widgets", GUESSABLE],
    ["Bulwark_example_99", GUESSABLE],
    ["bulwarkpassword", GUESSABLE],
    ["bulwark password1!", GUESSABLE],
    // One of them among much else.
    ["grace under high pressure"],
    ["nobody hacks the bulwark"],
  ])("%j: %s %s", async (password, ...codes) => {
    expect(await codesOf(password)).toEqual(codes);
  });

  test.each<[password: string, minLength: number, ...codes: string[]]>([
    ["zk4!tq9w", 8],
    ["zk4!tq9", 8, SHORT],
    ["dragon99", 8, COMMON],
    ["abcd1234", 8, COMMON, GUESSABLE],
    ["hopper-1", 8, COMMON, GUESSABLE],
    // Never fewer than 8, whatever is asked for.
    ["zk4!t", 1, SHORT],
  ])("%j, of at least %i", async (password, minLength, ...codes) => {
    expect(await codesOf(password, minLength)).toEqual(codes);
  });

  test("short parts of a name are in too many passwords to count", async () => {
    const ann = { name: "Ann Li", email: "al@x.io" };
    expect(await passwordProblems("plans ann and al made", ann)).toEqual([]);
  });

  test("names the length that it expected, and the field", async () => {
    expect(await passwordProblems("zk4!t")).toEqual([
      { field: "password", message: "Expected at least 15 characters.", code: SHORT },
    ]);
  });

  test("takes linear time on what is long", async () => {
    const long = "ab1".repeat(Math.floor(MAX_PASSWORD_LENGTH / 3));
    const started = performance.now();
    for (let i = 0; i < 50; i += 1) await passwordProblems(`${long}x`, context, policy);
    expect((performance.now() - started) / 50).toBeLessThan(20);
  });
});

describe("the list of leaked passwords", () => {
  const asked: string[] = [];
  /** A fake of the port: it knows one range. */
  const fakeBreachedPasswords = {
    range: async (prefix: string): Promise<string> => {
      asked.push(prefix);
      return `${"0".repeat(35)}:1\r\nBF86A7A9BDC1E4F1CF1CBB6D6CF26F6BD3A:0`;
    },
  };
  const breaches = new BreachCheck({ passwords: fakeBreachedPasswords });

  test("is not asked about what is refused already", async () => {
    await passwordProblems("password", {}, { breaches });
    expect(asked).toEqual([]);
    expect(await passwordProblems("correct horse battery", {}, { breaches })).toEqual([]);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatch(/^[0-9A-F]{5}$/);
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
