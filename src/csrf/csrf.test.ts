import { describe, expect, test } from "vitest";
import { BaseAPIHandler, bareKernel, type Kernel } from "../core/index.ts";
import { createKeyRing, generateSecret } from "../crypto/index.ts";
import { CSRFProtection, crossSiteDecision, withCSRFProtection } from "./index.ts";

const allowed = new Set(["https://api.example.com", "https://app.example.com"]);

type Row = readonly [
  method: string,
  site: string | null,
  mode: string | null,
  origin: string | null,
  said: "pass" | "refuse" | "token",
];

const decide = ([method, site, mode, origin]: Row) =>
  crossSiteDecision({ method, site, mode, origin }, allowed);

/** The table of net/http's CrossOriginProtection (Go 1.25), for a server at https://api.example.com that trusts app.example.com. */
describe("a request that carries cookies, as Go decides it", () => {
  test.each<Row>([
    ["POST", "same-origin", "cors", null, "pass"],
    ["POST", "none", "navigate", null, "pass"],
    ["POST", "cross-site", "cors", null, "refuse"],
    ["POST", "same-site", "cors", null, "refuse"],
    ["POST", null, null, "https://api.example.com", "pass"],
    ["POST", null, null, "https://attacker.example", "refuse"],
    ["POST", null, null, "null", "refuse"],
    ["GET", "cross-site", "no-cors", null, "pass"],
    ["HEAD", "cross-site", "no-cors", null, "pass"],
    ["OPTIONS", "cross-site", "no-cors", null, "pass"],
    ["PUT", "cross-site", "cors", null, "refuse"],
    ["POST", null, null, "https://app.example.com", "pass"],
    ["POST", "cross-site", "cors", "https://app.example.com", "pass"],
    ["POST", null, null, "https://attacker.example", "refuse"],
    ["POST", "cross-site", "cors", "https://attacker.example", "refuse"],
  ])("%s, site %s, mode %s, origin %s: %s", (...row) => expect(decide(row)).toBe(row[4]));
});

describe("and where Go lets pass what we do not", () => {
  test.each<Row>([
    // Neither header: a browser from before 2020, or none at all. Only a token can tell.
    ["POST", null, null, null, "token"],
    ["PUT", null, null, null, "token"],
    ["DELETE", null, null, null, "token"],
    // Go compares the host alone, and so takes http for https.
    ["POST", null, null, "http://api.example.com", "refuse"],
    ["POST", null, null, "https://api.example.com:8443", "refuse"],
    // `none` is a person's doing only as a navigation.
    ["POST", "none", "cors", null, "refuse"],
    ["POST", "none", "no-cors", null, "refuse"],
    ["POST", "none", null, null, "refuse"],
  ])("%s, site %s, mode %s, origin %s: %s", (...row) => expect(decide(row)).toBe(row[4]));
});

describe("and the rest", () => {
  test.each<Row>([
    ["GET", "cross-site", "no-cors", "https://evil.example", "pass"],
    ["HEAD", null, null, null, "pass"],
    ["POST", "same-origin", "cors", "https://api.example.com", "pass"],
    ["POST", "same-origin", null, null, "pass"],
    ["POST", "same-site", "cors", "https://app.example.com", "pass"],
    ["POST", "same-site", "cors", "https://other.example.com", "refuse"],
    ["POST", "cross-site", "no-cors", "null", "refuse"],
    ["POST", "cross-site", "navigate", "https://evil.example", "refuse"],
    ["POST", "something", "cors", null, "refuse"],
    ["POST", "", null, null, "refuse"],
    ["POST", "Same-Origin", null, null, "refuse"],
    ["POST", "same-origin, same-origin", null, null, "refuse"],
    ["POST", null, "navigate", null, "token"],
    ["POST", null, null, "https://api.example.com.evil.example", "refuse"],
    ["POST", null, null, "https://evil-app.example.com", "refuse"],
    ["POST", null, null, "https://app.example.com/", "refuse"],
    ["POST", null, null, "HTTPS://APP.EXAMPLE.COM", "refuse"],
    ["POST", null, null, "https://app.example.com.", "refuse"],
    ["POST", null, null, "https://api.example.com, https://evil.example", "refuse"],
    ["POST", null, null, "", "refuse"],
    ["PATCH", "cross-site", null, null, "refuse"],
    ["DELETE", "same-site", null, null, "refuse"],
    ["PURGE", "cross-site", null, null, "refuse"],
    ["get", "cross-site", null, null, "refuse"],
  ])("%s, site %s, mode %s, origin %s: %s", (...row) => expect(decide(row)).toBe(row[4]));
});

describe("a token", () => {
  const [older, newer] = [generateSecret(), generateSecret()];
  const csrf = new CSRFProtection({ keys: createKeyRing([older]) });

  test("is good for its session alone, and another text each time", () => {
    const tokens = Array.from({ length: 50 }, () => csrf.generateToken("a"));
    expect(new Set(tokens).size).toBe(50);
    expect(tokens.every((token) => csrf.validateToken("a", token))).toBe(true);
    expect(tokens.some((token) => csrf.validateToken("b", token))).toBe(false);
  });

  test("outlives a rotation, and not the secret that made it", () => {
    const token = csrf.generateToken("a");
    const rotated = new CSRFProtection({ keys: createKeyRing([newer, older]) });
    expect(rotated.validateToken("a", token)).toBe(true);
    const removed = new CSRFProtection({ keys: createKeyRing([newer]) });
    expect(removed.validateToken("a", token)).toBe(false);
  });

  test("is refused with any character changed, cut or added", () => {
    const token = csrf.generateToken("a");
    for (let index = 0; index < token.length; index += 1) {
      const other = token[index] === "A" ? "B" : "A";
      const changed = `${token.slice(0, index)}${other}${token.slice(index + 1)}`;
      expect(csrf.validateToken("a", changed), `character ${index}`).toBe(false);
    }
    for (const wrong of ["", "x", token.slice(1), `${token}A`, `${token} `, ` ${token}`]) {
      expect(csrf.validateToken("a", wrong)).toBe(false);
    }
    expect(csrf.validateToken("a", null)).toBe(false);
  });

  test("needs a session", () => {
    expect(() => csrf.generateToken("")).toThrow("session: expected an identifier");
    expect(csrf.validateToken("", csrf.generateToken("a"))).toBe(false);
  });
});

describe("withCSRFProtection", () => {
  const routeOf = (kernel: Kernel, method: "GET" | "POST" | "DELETE") => {
    class Handler extends BaseAPIHandler {
      static override readonly kernel = kernel;
    }
    return Handler[method](
      withCSRFProtection(() => "done"),
      { path: "/a", requireAuth: false },
    );
  };
  const call = (
    said: ReturnType<NonNullable<Kernel["csrfToken"]>>,
    method: "GET" | "POST" | "DELETE",
  ) =>
    routeOf(
      { ...bareKernel, csrfToken: () => said },
      method,
    )(new Request("http://localhost/a", { method }));

  test.each<[method: "GET" | "POST" | "DELETE", said: Parameters<typeof call>[0], status: number]>([
    ["GET", "missing", 200],
    ["POST", "valid", 200],
    ["POST", "exempt", 200],
    ["POST", "missing", 403],
    ["POST", "invalid", 403],
    ["DELETE", "missing", 403],
    ["DELETE", "anything else" as never, 403],
  ])("%s with a token that is %s: %i", async (method, said, status) => {
    const answer = await call(said, method);
    expect(answer.status).toBe(status);
    if (status === 403) expect(await answer.json()).toMatchObject({ code: "CSRF_REJECTED" });
  });

  test("says on the route that it stands there", () => {
    const { policies } = routeOf({ ...bareKernel, csrfToken: () => "valid" }, "POST");
    expect(policies.map(({ name }) => name)).toContain("withCSRFProtection");
  });

  test("without an application the route does not start", () => {
    expect(() => routeOf(bareKernel, "POST")).toThrow(
      "route POST /a: withCSRFProtection: expected handlers of createBulwark()",
    );
  });
});
