import { createSign, generateKeyPairSync, type KeyObject } from "node:crypto";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { startApp, testApp } from "../../support/app.ts";
import { eventsOf, keyRows, makeKey, makeTenant, statusOf } from "../../system/api-keys/support.ts";

const pair = () => generateKeyPairSync("ec", { namedCurve: "prime256v1" });
const github = pair();
const stranger = pair();
const pemOf = ({ publicKey }: { publicKey: KeyObject }): string =>
  publicKey.export({ type: "spki", format: "pem" }) as string;

const app = await startApp({
  apiKeys: { partners: [{ name: "github", keys: { k1: pemOf(github), k2: pemOf(pair()) } }] },
});
afterAll(() => app.close());
beforeEach(app.reset);
const { bulwark } = app;

const signature = (body: string, by = github): string =>
  createSign("sha256").update(body).sign(by.privateKey, "base64");

interface Signed {
  readonly keyId?: string;
  readonly signature?: string;
}

function report(body: string, how: Signed = {}) {
  const headers = {
    "content-type": "application/json",
    "github-public-key-identifier": how.keyId ?? "k1",
    "github-public-key-signature": how.signature ?? signature(body),
  };
  return app.call("POST", "/api/api-keys/leaked", { body, headers });
}

const found = (...tokens: readonly string[]): string =>
  JSON.stringify(
    tokens.map((token) => ({
      token,
      type: "bwk",
      url: `https://x.example/a?k=${token}`,
      source: "content",
    })),
  );

/** The mails that were sent. */
async function mailed() {
  await bulwark.outbox.flush();
  return bulwark.mailbox?.list().filter(({ kind }) => kind === "key-leaked");
}

describe("a signed report of a whole key", () => {
  test("revokes it, tells its owner, and alerts", async () => {
    const account = await app.signUp();
    const { id, key } = await makeKey(app, account, { name: "nightly" });
    expect(await statusOf(bulwark, key)).toBe(200);
    const { status, json } = await report(found(key));
    expect([status, json["data"]]).toEqual([200, { received: 1 }]);
    expect(await statusOf(bulwark, key)).toBe(401);
    expect(await keyRows(app)).toEqual([]);
    const [event] = await eventsOf(app, "apikey.leaked");
    expect(event).toMatchObject({
      severity: "critical",
      resource: `api-key:${id}`,
      metadata: {
        partner: "github",
        name: "nightly",
        owner: account.id,
        url: "https://x.example/a",
        source: "content",
      },
    });
    expect(app.log.join("")).toContain("critical security event");
    expect(await app.dump()).not.toContain(key.slice(-38, -6));
    expect(await mailed()).toMatchObject([{ to: account.email, kind: "key-leaked" }]);
  });

  test("of a tenant's own key tells whoever made it", async () => {
    const tenantId = await makeTenant(app);
    const { id: userId, email } = await app.signUp();
    const input = { name: "k", scopes: [] };
    const { key } = await bulwark.apiKeys.create(input, { tenantId }, undefined, { userId });
    expect((await report(found(key))).status).toBe(200);
    expect(await keyRows(app)).toEqual([]);
    expect(await eventsOf(app, "apikey.leaked")).toHaveLength(1);
    expect(await mailed()).toMatchObject([{ to: email, kind: "key-leaked" }]);
  });

  test("answers alike for what is no key, a wrong secret, and a key that is gone", async () => {
    const account = await app.signUp();
    const { key } = await makeKey(app, account);
    const { key: gone, id } = await makeKey(app, account);
    await bulwark.apiKeys.revoke(id, { userId: account.id }, {});
    const wrong = key.slice(0, 31) + gone.slice(31);
    for (const token of ["ghp_abc", key.slice(0, -1), wrong, gone]) {
      const { status, json } = await report(found(token));
      expect([status, json["data"]]).toEqual([200, { received: 1 }]);
    }
    expect(await keyRows(app)).toHaveLength(1);
    expect(await statusOf(bulwark, key)).toBe(200);
    expect(await eventsOf(app, "apikey.leaked")).toEqual([]);
  });

  test("of fifty at once is one end and one alert", async () => {
    const { key } = await makeKey(app, await app.signUp());
    const answers = await Promise.all(Array.from({ length: 50 }, () => report(found(key))));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(await eventsOf(app, "apikey.leaked")).toHaveLength(1);
  });
});

describe("a report is refused, and the key lives on", () => {
  const rows: readonly (readonly [
    what: string,
    status: number,
    how: (body: string) => Signed & { readonly body?: string },
  ])[] = [
    ["unsigned", 401, () => ({ signature: "" })],
    ["signed by a stranger", 401, (body) => ({ signature: signature(body, stranger) })],
    ["signed over another body", 401, (body) => ({ signature: signature(`${body} `) })],
    ["with the id of another key", 401, () => ({ keyId: "k2" })],
    ["with the id of no key", 401, () => ({ keyId: "k9" })],
    ["with a prototype's name for an id", 401, () => ({ keyId: "constructor" })],
    ["with a signature that is no DER", 401, () => ({ signature: "AAAA" })],
    ["with a signature of a kilobyte", 401, (body) => ({ signature: signature(body).repeat(10) })],
    ["signed, but no JSON", 400, () => ({ body: "[", signature: signature("[") })],
    ["signed, but no list", 400, () => ({ body: "{}", signature: signature("{}") })],
    ["signed, but empty", 400, () => ({ body: "[]", signature: signature("[]") })],
  ];
  test.each(rows)("%s", async (_what, status, how) => {
    const { key } = await makeKey(app, await app.signUp());
    const body = found(key);
    const { body: other, ...signed } = how(body);
    const answer = await report(other ?? body, signed);
    expect(answer.status).toBe(status);
    expect(answer.text).not.toContain(key);
    expect(await statusOf(bulwark, key)).toBe(200);
  });

  test("with a hundred and one keys, or of more than 128 KiB", async () => {
    const many = found(...Array.from({ length: 101 }, () => "x"));
    expect((await report(many)).status).toBe(400);
    const large = `[${" ".repeat(131_072)}]`;
    expect((await report(large)).status).toBe(413);
  });

  test("past sixty a minute from one address", async () => {
    const body = found("x");
    const answers = await Promise.all(Array.from({ length: 70 }, () => report(body)));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 429)).toHaveLength(10);
  });
});

test("without a partner there is no such path, whatever is sent", async () => {
  const plain = await testApp();
  await plain.reset();
  for (const body of ["[]", "{", "x".repeat(200)]) {
    const headers = { "github-public-key-identifier": "k1", "github-public-key-signature": "x" };
    const answer = await plain.call("POST", "/api/api-keys/leaked", { body, headers });
    expect([answer.status, answer.json["code"]]).toEqual([404, "NOT_FOUND"]);
  }
});
