import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type TestApp, testApp } from "../../support/app.ts";
import { type Lie, type LyingProvider, startLyingProvider } from "./lying-provider.ts";
import { countOf, makeBench, type OidcBench, refusal } from "./support.ts";

const clientSecret = "a secret that the client and the provider share";
let app: TestApp;
let liar: LyingProvider;
let bench: OidcBench;

beforeAll(async () => {
  app = await testApp();
  liar = await startLyingProvider(clientSecret);
});
afterAll(() => liar.stop());
beforeEach(async () => {
  await app.reset();
  Object.assign(liar, { lie: {}, metadata: {} });
  const client = { clientId: "app", clientSecret };
  bench = await makeBench(
    {
      liar: { issuer: liar.issuer, ...client },
      other: { issuer: "http://127.0.0.1:9", ...client },
    },
    { timeout: "100ms" },
  );
});

async function signInWith(lie: Lie): Promise<unknown> {
  liar.lie = lie;
  const { url, cookies } = await bench.start("liar");
  return bench.finish("liar", liar.answerTo(url), cookies);
}

test("its truth is accepted", async () => {
  expect(await signInWith({})).toMatchObject({ user: { email: "ada@people.example" } });
});

// RFC 9700 section 4.4: where a provider sends no `iss`, the path of the callback tells whose answer it is.
test("its answer at another provider's callback is refused, before that provider hears of it", async () => {
  const { url, cookies } = await bench.start("liar");
  const back = liar.answerTo(url);
  await expect(bench.finish("other", back, cookies)).rejects.toEqual(refusal("INVALID_REQUEST"));
});

const now = Math.floor(Date.now() / 1_000);

// OIDC Core section 3.1.3.7; CVE-2022-23540 and CVE-2022-23541 for the algorithms.
describe("an ID token proves nothing", () => {
  test.each<[what: string, lie: Lie]>([
    ["with another nonce", { claims: { nonce: "n".repeat(43) } }],
    ["without a nonce", { claims: { nonce: undefined } }],
    ["of another issuer", { claims: { iss: "https://evil.example" } }],
    ["for another client", { claims: { aud: "other" } }],
    ["for several clients, with no word of whose it is", { claims: { aud: ["app", "other"] } }],
    ["for several clients, and another's", { claims: { aud: ["app", "other"], azp: "other" } }],
    ["that is over", { claims: { exp: now - 3_600 } }],
    ["that never ends", { claims: { exp: undefined } }],
    ["that does not hold yet", { claims: { nbf: now + 3_600 } }],
    ["of nobody", { claims: { sub: undefined } }],
    ["whose subject is empty", { claims: { sub: "" } }],
    ["whose subject is no text", { claims: { sub: 7 } }],
    ["whose subject is longer than one may be", { claims: { sub: "s".repeat(256) } }],
    ["whose subject no database can hold", { claims: { sub: "a\u0000" } }],
    ["signed by another key under the same id", { signed: "with a key of nobody" }],
    ["for another access token", { claims: { at_hash: "77QmUPtjPfzWtF2AnpK9RQ" } }],
    ["that nobody signed", { signed: "by nobody" }],
    ["signed with the client secret", { signed: "with the client secret" }],
    ["that was changed after it was signed", { signed: "and changed" }],
    ["that is no token", { body: { id_token: "e30" } }],
    ["that is missing", { body: { id_token: undefined } }],
  ])("%s", async (_what, lie) => {
    await expect(signInWith(lie)).rejects.toEqual(refusal("INVALID_CREDENTIALS"));
    expect([await countOf("users"), await countOf("identities")]).toEqual([0, 0]);
  });
});

describe("an answer that is none is the provider's failure", () => {
  const secret = "eyJ.a-secret-of-the-answer";
  const text = JSON.stringify({ access_token: secret });

  test.each<[what: string, lie: Lie]>([
    ["a server error", { raw: { status: 500, text } }],
    ["a redirect", { raw: { status: 307, text, location: "http://127.0.0.1:9/" } }],
    ["an answer without end", { raw: { status: 200, text: text + " ".repeat(1_048_577) } }],
    ["no answer", { silent: true }],
  ])("%s", async (_what, lie) => {
    const error = await signInWith(lie).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "EXTERNAL_SERVICE_ERROR", statusCode: 502 });
    const { cause, message, stack } = error as Error;
    expect(`${message} ${stack} ${String(cause)} ${JSON.stringify(cause)}`).not.toContain(secret);
  });
});

describe("metadata are refused", () => {
  test.each<[what: string, metadata: Readonly<Record<string, unknown>>]>([
    ["of another issuer", { issuer: "https://evil.example" }],
    ["of an issuer that is a pattern", { issuer: "https://id.example/{tenantid}" }],
    ["without an authorization endpoint", { authorization_endpoint: undefined }],
    ["whose authorization endpoint is a script", { authorization_endpoint: "javascript:alert(1)" }],
  ])("%s", async (_what, metadata) => {
    liar.metadata = metadata;
    await expect(bench.start("liar")).rejects.toEqual(refusal("EXTERNAL_SERVICE_ERROR"));
  });

  // The same server by a name that is not plainly loopback: whoever could say it could say any other.
  test.each([
    ["token_endpoint", "/token"],
    ["jwks_uri", "/jwks"],
  ])("whose %s leads to http elsewhere", async (field, path) => {
    liar.metadata = { [field]: `${liar.issuer.replace("127.0.0.1", "0.0.0.0")}${path}` };
    const { url, cookies } = await bench.start("liar");
    await expect(bench.finish("liar", liar.answerTo(url), cookies)).rejects.toMatchObject({
      code: "EXTERNAL_SERVICE_ERROR",
    });
  });
});
