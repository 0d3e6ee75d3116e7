import { describe, expect, test } from "vitest";
import { createLog } from "./log.ts";
import { redact, redactText } from "./redact.ts";

const JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1MSJ9.c2lnbmF0dXJl";
const API_KEY = `bwk_live_${"a".repeat(22)}_${"B".repeat(38)}`;

describe("by name", () => {
  test.each([
    "password",
    "Password",
    "PASSWORD",
    "newPassword",
    "new_password",
    "currentPassword",
    "passwordHash",
    "token",
    "accessToken",
    "access_token",
    "refreshToken",
    "deviceToken",
    "challengeToken",
    "csrfToken",
    "id_token",
    "secret",
    "clientSecret",
    "client_secret",
    "BULWARK_SECRET",
    "sessionSecret",
    "authorization",
    "Authorization",
    "proxy-authorization",
    "cookie",
    "Set-Cookie",
    "x-api-key",
    "apiKey",
    "x-csrf-token",
    "key",
    "DATABASE_URL",
    "passphrase",
    "recoveryCodes",
    "otp",
    "secretKey",
    "private_key",
    "aws_secret_access_key",
    "stripeApiKey",
    "passwordConfirmation",
    "password1",
    "credential",
    "user[password]",
    "pass word",
    "totpCode",
    "jwt",
  ])("%s is hidden", (name) => {
    expect(redact({ [name]: "hunter2" })).toEqual({ [name]: "[redacted]" });
    expect(redact({ [name]: { deep: "hunter2" } })).toEqual({ [name]: "[redacted]" });
    expect(redact({ a: [{ [name]: 123456 }] })).toEqual({ a: [{ [name]: "[redacted]" }] });
  });

  test.each([
    ["keyId", "k1"],
    ["monkey", "m"],
    ["email", "a@b.example"],
    ["tokens", 3],
    ["secretary", "x"],
    ["statusCode", 401],
    ["passwordChanged", true],
    ["token", true],
    ["code", "NOT_FOUND"],
    ["code", "42P01"],
  ])("%s: %j is shown", (name, value) => {
    expect(redact({ [name]: value })).toEqual({ [name]: value });
  });

  test("several of a kind are hidden, and their number is not", () => {
    expect(redact({ tokens: ["hunter2"] })).toEqual({ tokens: "[redacted]" });
  });

  test("a name that is a secret itself is hidden", () => {
    expect(redact({ [JWT]: 1 })).toEqual({ "[redacted]": 1 });
  });

  test.each(["123456", "12345678", "abcd-efgh"])("a one-time code %s is not", (code) => {
    expect(redact({ code })).toEqual({ code: "[redacted]" });
  });
});

describe("by pattern", () => {
  test.each<[text: string, shown: string]>([
    [`sent ${JWT} on`, "sent [redacted] on"],
    [`key ${API_KEY}!`, "key [redacted]!"],
    [`X_${API_KEY} ${API_KEY}`, "X_[redacted] [redacted]"],
    [`cut ${API_KEY.slice(0, 40)}`, "cut [redacted]"],
    [`its hint ${API_KEY.slice(0, 31)}`, `its hint ${API_KEY.slice(0, 31)}`],
    ["Authorization: Bearer abcdefgh12345", "Authorization: [redacted]"],
    ["basic dXNlcjpwYXNzd29yZA==", "[redacted]"],
    ["hash $argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA", "hash [redacted]"],
    ["$2b$12$abcdefghijklmnopqrstuv end", "[redacted] end"],
    ["postgres://app:hunter2@db/app", "postgres://app:[redacted]@db/app"],
    ["rediss://:hunter2@cache:6380", "rediss://:[redacted]@cache:6380"],
    ["GET /reset?token=hunter2&x=1", "GET /reset?token=[redacted]&x=1"],
    ["https://h/setup#token=hunter2", "https://h/setup#token=[redacted]"],
    ["https://h:3000/a@b", "https://h:3000/a@b"],
    ["postgres://app:p@ss@db/app", "postgres://app:[redacted]@db/app"],
    ["?access_token=hunter2&x=1", "?access_token=[redacted]&x=1"],
    ["client_secret=hunter2&x=1", "client_secret=[redacted]&x=1"],
    ['is not JSON: {"password":"hun\\"ter2"}', 'is not JSON: {"password":"[redacted]"}'],
    ["{ newPassword: 'hunter2' }", "{ newPassword: '[redacted]' }"],
    ["Cookie: __Host-session=abc.def", "Cookie: [redacted]"],
    ["authorization: Token hunter2", "authorization: [redacted]"],
    ["cookie: expected a name, came none", "cookie: expected a name, came none"],
    ["token: expected a string, came a number", "token: expected a string, came a number"],
    ["eyJhbGciOiJkaXIifQ..aXZpdg.c2VhbGVk.dGFn is sealed", "[redacted] is sealed"],
    ["-----BEGIN PRIVATE KEY-----\nMII=\n-----END PRIVATE KEY----- end", "[redacted] end"],
    ["a cut -----BEGIN RSA PRIVATE KEY-----\nMII", "a cut [redacted]"],
    ["a plain sentence", "a plain sentence"],
  ])("%s", (text, shown) => {
    expect(redactText(text)).toBe(shown);
    expect(redact({ a: [text] })).toEqual({ a: [shown] });
  });

  test("each secret of a text, each time", () => {
    expect(redactText(`${JWT} ${JWT}`)).toBe("[redacted] [redacted]");
    expect(redactText(`${JWT} ${JWT}`)).toBe("[redacted] [redacted]");
  });
});

describe("what is deep, long or odd", () => {
  test("is cut", () => {
    const deep: { a?: unknown } = {};
    deep.a = deep;
    expect(JSON.stringify(redact(deep))).toContain("[deep]");
    expect(redactText("x".repeat(9_000)).length).toBeLessThan(8_200);
    expect(redact(Array(100).fill(1))).toHaveLength(64);
    const wide = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`f${i}`, i]));
    expect(Object.keys(redact(wide) as object)).toHaveLength(64);
  });

  test("is copied to an end, however wide it is at each depth", () => {
    let wide: unknown = "x";
    for (let depth = 0; depth < 5; depth += 1) wide = Array(64).fill(wide);
    expect(JSON.stringify(redact(wide)).length).toBeLessThan(100_000);
  });

  test("a secret that the cut runs through is hidden", () => {
    expect(redactText(`${"x".repeat(8_180)}://app:hunter2@db`)).not.toContain("hunt");
  });

  test("never throws", () => {
    const thrower = {
      get a(): never {
        throw new Error("no");
      },
    };
    expect(redact({ thrower })).toEqual({ thrower: "[unreadable]" });
    const odd = Object.assign(new Error("x"), { message: { token: JWT }, name: 5, stack: null });
    expect(redact(odd)).toMatchObject({ type: 5, message: { token: "[redacted]" }, stack: null });
  });

  test("a toJSON that would say it all is left out", () => {
    const value = { toJSON: () => ({ password: "hunter2" }) };
    expect(JSON.stringify(redact({ value }))).toBe('{"value":{}}');
  });

  test("an own __proto__ stays a fact", () => {
    const copy = redact(JSON.parse('{"__proto__":{"admin":true}}')) as { admin?: unknown };
    expect(copy.admin).toBeUndefined();
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
  });

  test("the errors of an AggregateError are told", () => {
    const error = new AggregateError([new Error(`one ${JWT}`)], "all");
    expect(redact(error)).toMatchObject({ errors: [{ message: "one [redacted]" }] });
  });

  test.each<[value: unknown, shown: unknown]>([
    [new Date(Number.NaN), null],
    [new Map([["password", "hunter2"]]), { password: "[redacted]" }],
    [new Set([JWT]), ["[redacted]"]],
    [new Headers({ authorization: "x", a: "b" }), { authorization: "[redacted]", a: "b" }],
    [new URLSearchParams("token=x&a=b"), { token: "[redacted]", a: "b" }],
    [new URL("https://h/?token=hunter2"), "https://h/?token=[redacted]"],
    [new ArrayBuffer(2), "[bytes]"],
    [1n, "1"],
    [new Date(0), "1970-01-01T00:00:00.000Z"],
    [Uint8Array.of(1, 2), "[bytes]"],
    [null, null],
    [undefined, undefined],
    [7, 7],
  ])("%s is %s", (value, shown) => expect(redact(value)).toEqual(shown));

  test("an error keeps its type, its facts and its causes, without secrets", () => {
    const cause = new RangeError(`inner ${JWT}`);
    const error = Object.assign(new Error(`outer ${JWT}`, { cause }), {
      code: "42P01",
      password: "x",
    });
    expect(redact({ err: error })).toMatchObject({
      err: {
        type: "Error",
        message: "outer [redacted]",
        code: "42P01",
        password: "[redacted]",
        cause: { type: "RangeError", message: "inner [redacted]" },
      },
    });
    expect(JSON.stringify(redact({ err: error }))).not.toContain(JWT);
  });
});

describe("createLog", () => {
  const linesOf = (
    write: (log: ReturnType<typeof createLog>) => void,
    level?: "warn" | "silent",
  ) => {
    const lines: string[] = [];
    const destination = { write: (line: string) => void lines.push(line) };
    write(createLog({ destination, level }));
    return lines;
  };

  test("writes one JSON object a line, whatever is in it", () => {
    const lines = linesOf((log) => {
      log.info({ path: "a\nb\u2028c", password: "hunter2" }, `said ${JWT}\n{"level":"error"}`);
      log.error({ err: new Error(`x ${JWT}`) }, "failed");
    });
    expect(lines).toHaveLength(2);
    expect(lines.every((line) => line.trimEnd().split(/[\n\r]/).length === 1)).toBe(true);
    const [first, second] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(first).toMatchObject({
      level: "info",
      path: "a\nb\u2028c",
      password: "[redacted]",
      msg: 'said [redacted]\n{"level":"error"}',
    });
    expect(first?.["time"]).toMatch(/^\d{4}-\d\d-\d\dT/);
    expect(second).toMatchObject({
      level: "error",
      err: { message: "x [redacted]" },
      msg: "failed",
    });
  });

  test("a fact never takes the place of what a line says of itself", () => {
    const facts = { level: "fatal", time: "1999", msg: "all is well", path: "/" };
    const [line = ""] = linesOf((log) => log.info(facts, "real"));
    expect(line.match(/"(?:level|time|msg)":/g)).toHaveLength(3);
    expect(JSON.parse(line)).toMatchObject({ level: "info", msg: "real", fact_msg: "all is well" });
  });

  test("tells also what a caller without types hands over", () => {
    const lines = linesOf((log) => {
      const write = (...args: unknown[]): void => {
        (log as unknown as Record<string, (...all: unknown[]) => void>)["error"]?.(...args);
      };
      write(new Error(`x ${JWT}`));
      write(`text ${JWT}`, "said");
      write(null, { no: "text" });
    });
    expect(lines).toHaveLength(3);
    expect(lines.join("")).not.toContain(JWT);
  });

  test("writes from its level on", () => {
    const all = (log: ReturnType<typeof createLog>): void => {
      log.info({}, "i");
      log.warn({}, "w");
      log.error({}, "e");
    };
    expect(
      [linesOf(all), linesOf(all, "warn"), linesOf(all, "silent")].map((l) => l.length),
    ).toEqual([3, 2, 0]);
  });
});
