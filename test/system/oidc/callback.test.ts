import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type TestApp, testApp } from "../../support/app.ts";
import type { OidcServer } from "../../support/oidc-server.ts";
import {
  type Begun,
  CLIENT_SECRET,
  countOf,
  eventsOf,
  makeBench,
  type OidcBench,
  redirectUri,
  refusal,
  signInAt,
  startServer,
} from "./support.ts";

const ADA = { subject: "ada" };
let app: TestApp;
let one: OidcServer;
let two: OidcServer;
let bench: OidcBench;

beforeAll(async () => {
  app = await testApp();
  [one, two] = await Promise.all([startServer("one"), startServer("two")]);
});
afterAll(() => Promise.all([one.stop(), two.stop()]));
beforeEach(async () => {
  await app.reset();
  const client = { clientId: "bulwark", clientSecret: CLIENT_SECRET };
  bench = await makeBench({
    one: { issuer: one.issuer, ...client },
    two: { issuer: two.issuer, ...client },
  });
});

/** A sign-in whose person is back from the first provider, and whose callback nobody has looked at. */
async function away(): Promise<Begun & { readonly back: URL }> {
  const begun = await bench.start("one");
  return { ...begun, back: await one.signIn(begun.url, ADA) };
}

const tokenCalls = (server: OidcServer): number => server.asked.get("/token") ?? 0;

describe("a callback is refused before its code is exchanged", () => {
  async function expectRefusal(back: URL, cookies: string): Promise<void> {
    const calls = tokenCalls(one);
    await expect(bench.finish("one", back, cookies)).rejects.toMatchObject({
      code: expect.stringMatching(/^(INVALID_REQUEST|INVALID_CREDENTIALS)$/),
    });
    expect(tokenCalls(one)).toBe(calls);
    expect([await countOf("users"), await countOf("identities")]).toEqual([0, 0]);
    expect(await eventsOf("auth.login.failed")).toMatchObject([
      { result: "failure", metadata: { method: "oidc", provider: "one" } },
    ]);
  }

  test.each<[what: string, change: (query: URLSearchParams) => void]>([
    ["no state", (query) => query.delete("state")],
    ["an empty state", (query) => query.set("state", "")],
    ["another state", (query) => query.set("state", "s".repeat(43))],
    ["a long state", (query) => query.set("state", "s".repeat(5_000))],
    ["a state twice", (query) => query.append("state", query.get("state") ?? "")],
    ["a code twice", (query) => query.append("code", "other")],
    ["no code", (query) => query.delete("code")],
    // RFC 9207 section 2.4.
    ["no issuer, from a provider that says it sends one", (query) => query.delete("iss")],
    ["an empty issuer", (query) => query.set("iss", "")],
    ["another issuer", (query) => query.set("iss", "https://evil.example")],
    ["an issuer with a slash", (query) => query.set("iss", `${one.issuer}/`)],
    ["an issuer twice", (query) => query.append("iss", one.issuer)],
    // The answers of other flows.
    ["an ID token in the front channel", (query) => query.set("id_token", "e30.e30.e30")],
    ["a response in a token", (query) => query.set("response", "e30.e30.e30")],
  ])("%s", async (_what, change) => {
    const { back, cookies } = await away();
    change(back.searchParams);
    await expectRefusal(back, cookies);
  });

  // No session of an attacker's is planted in another's browser, and no code of a victim's redeemed in the attacker's.
  test.each<[what: string, change: (cookies: string) => string]>([
    ["no cookie", () => ""],
    ["another browser's cookie", () => `__Host-oidc=${"b".repeat(43)}`],
    ["a cookie that comes twice", (cookies) => `${cookies}; ${cookies}`],
    ["a cookie of a like name", (cookies) => cookies.replace("__Host-", "__host-")],
  ])("%s", async (_what, change) => {
    const { back, cookies } = await away();
    await expectRefusal(back, change(cookies));
  });

  test("and who is not the browser that began takes nothing from it", async () => {
    const { back, cookies } = await away();
    await expect(bench.finish("one", back, `__Host-oidc=${"b".repeat(43)}`)).rejects.toEqual(
      refusal("INVALID_REQUEST"),
    );
    expect(await bench.finish("one", back, cookies)).toMatchObject({ intent: "sign-in" });
  });
});

describe("a sign-in works once", () => {
  test("a callback that comes again is refused", async () => {
    const { back, cookies } = await away();
    await bench.finish("one", back, cookies);
    await expect(bench.finish("one", back, cookies)).rejects.toEqual(refusal("INVALID_REQUEST"));
    expect(await countOf("users")).toBe(1);
  });

  // GHSA-hc7v: a one-time link used twice in parallel.
  test("of twenty callbacks at once one succeeds", async () => {
    const { back, cookies } = await away();
    const calls = tokenCalls(one);
    const all = await Promise.allSettled(
      Array.from({ length: 20 }, () => bench.finish("one", back, cookies)),
    );
    expect(all.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(tokenCalls(one)).toBe(calls + 1);
  });

  test.each([
    [599_000, true],
    [600_000, false],
  ])("after %i ms: %s", async (milliseconds, isGood) => {
    const { back, cookies } = await away();
    bench.clock.advance(milliseconds);
    const finished = bench.finish("one", back, cookies);
    if (isGood) await expect(finished).resolves.toMatchObject({ intent: "sign-in" });
    else await expect(finished).rejects.toEqual(refusal("INVALID_REQUEST"));
  });

  test("a refused exchange uses it up", async () => {
    const { back, cookies } = await away();
    const code = back.searchParams.get("code") ?? "";
    back.searchParams.set("code", "wrong");
    await expect(bench.finish("one", back, cookies)).rejects.toEqual(refusal("INVALID_REQUEST"));
    back.searchParams.set("code", code);
    await expect(bench.finish("one", back, cookies)).rejects.toEqual(refusal("INVALID_REQUEST"));
    expect(await countOf("users")).toBe(0);
  });
});

// RFC 9700 section 4.4: the answer of one provider must not reach the token endpoint of another.
describe("providers are not mixed up", () => {
  test("the answer of one at the other's callback is refused", async () => {
    const { back, cookies } = await away();
    const calls = tokenCalls(two);
    await expect(bench.finish("two", back, cookies)).rejects.toEqual(refusal("INVALID_REQUEST"));
    expect(tokenCalls(two)).toBe(calls);
  });

  test("a code of one in a sign-in of the other is refused, by the issuer", async () => {
    const atTwo = await bench.start("two");
    const { back } = await away();
    const calls = tokenCalls(two);
    back.searchParams.set("state", new URL(atTwo.url).searchParams.get("state") ?? "");
    await expect(bench.finish("two", back, atTwo.cookies)).rejects.toEqual(
      refusal("INVALID_REQUEST"),
    );
    expect(tokenCalls(two)).toBe(calls);
  });
});

describe("codes and PKCE", () => {
  // RFC 9700 section 4.5: a code of another person's, put into one's own sign-in.
  test("a code of another sign-in is refused by the provider, which has another challenge for it", async () => {
    const [mine, others] = [await away(), await away()];
    mine.back.searchParams.set("code", others.back.searchParams.get("code") ?? "");
    await expect(bench.finish("one", mine.back, mine.cookies)).rejects.toEqual(
      refusal("INVALID_REQUEST"),
    );
    expect(await countOf("users")).toBe(0);
  });

  test("the provider hands out no code without a challenge", async () => {
    const url = new URL((await bench.start("one")).url);
    url.searchParams.delete("code_challenge");
    const back = await one.signIn(url.href, ADA);
    expect(back.searchParams.get("error")).toBe("invalid_request");
  });

  test("the redirect URI is from the configuration", async () => {
    const { url } = await bench.start("one");
    expect(new URL(url).searchParams.get("redirect_uri")).toBe(redirectUri("one"));
  });
});

describe("what the provider refuses", () => {
  const deny = "<script>alert(1)</script> \r\nset-cookie: a=b";

  test("by the person's wish is forbidden, and none of the provider's words are repeated", async () => {
    const { url, cookies } = await bench.start("one");
    const back = await one.signIn(url, { ...ADA, deny });
    expect(back.searchParams.get("error")).toBe("access_denied");
    expect(back.searchParams.get("error_description")).toContain("script");
    await expect(bench.finish("one", back, cookies)).rejects.toMatchObject({
      code: "FORBIDDEN",
      message: "The sign-in was cancelled or refused at the provider.",
    });
    expect(JSON.stringify(await eventsOf("auth.login.failed"))).not.toContain("script");
  });

  test("for a reason of its own is the provider's failure", async () => {
    const { url, cookies } = await bench.start("one");
    const back = await one.signIn(url, { ...ADA, deny });
    back.searchParams.set("error", "server_error");
    await expect(bench.finish("one", back, cookies)).rejects.toMatchObject({ statusCode: 502 });
  });

  test("without a state of ours is nothing", async () => {
    const back = new URL(`${redirectUri("one")}?error=access_denied&iss=${one.issuer}`);
    await expect(bench.finish("one", back, null)).rejects.toEqual(refusal("INVALID_REQUEST"));
  });

  test("a wrong client secret is the provider's failure, and stands in no error", async () => {
    const other = await makeBench({
      one: { issuer: one.issuer, clientId: "bulwark", clientSecret: "hunter2-hunter2" },
    });
    const error = await signInAt(other, one, "one", ADA).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "EXTERNAL_SERVICE_ERROR" });
    // The library's error has the request and the response in it; of all that only a code is kept.
    const { cause } = error as Error;
    expect(cause).toEqual(new Error("OAUTH_WWW_AUTHENTICATE_CHALLENGE"));
    expect(Object.keys(cause as Error)).toEqual([]);
  });
});

// RFC 8725 section 3.1.
test("an ID token that is signed with another algorithm than the pinned one is refused", async () => {
  const three = await startServer("three", { algorithm: "ES256" });
  const client = { issuer: three.issuer, clientId: "bulwark", clientSecret: CLIENT_SECRET };
  const pinned = await makeBench({ three: client });
  await expect(signInAt(pinned, three, "three", ADA)).rejects.toEqual(
    refusal("INVALID_CREDENTIALS"),
  );
  expect(await countOf("users")).toBe(0);
  const right = await makeBench({ three: { ...client, algorithm: "ES256" } });
  expect(await signInAt(right, three, "three", ADA)).toMatchObject({ intent: "sign-in" });
  await three.stop();
});

test.each(["three", "", "constructor", "__proto__", "toString"])(
  "the provider %j is none",
  async (name) => {
    await expect(bench.provider.start(name, { intent: "sign-in", mode: "token" })).rejects.toEqual(
      refusal("NOT_FOUND"),
    );
    await expect(bench.provider.callback(name, "", null)).rejects.toEqual(refusal("NOT_FOUND"));
  },
);
