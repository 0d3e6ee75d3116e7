import { sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Account, type TestApp, testApp } from "../../support/app.ts";
import type { OidcServer } from "../../support/oidc-server.ts";
import {
  CLIENT_SECRET,
  countOf,
  eventsOf,
  makeBench,
  type OidcBench,
  refusal,
  signInAt,
  startServer,
} from "./support.ts";

let app: TestApp;
let server: OidcServer;
let bench: OidcBench;
let ada: Account;
let asked: { readonly userId: string; readonly sessionId: string };

beforeAll(async () => {
  app = await testApp();
  server = await startServer("one");
});
afterAll(() => server.stop());
beforeEach(async () => {
  await app.reset();
  const client = { clientId: "bulwark", clientSecret: CLIENT_SECRET };
  bench = await makeBench({ one: { issuer: server.issuer, ...client } });
  ada = await app.signUp();
  asked = { userId: ada.id, sessionId: await sessionOf(ada) };
});

async function sessionOf({ id }: Account): Promise<string> {
  const [row] = await app.query(sql`SELECT id FROM bulwark.sessions WHERE user_id = ${id}`);
  return String(row?.["id"]);
}

async function link(subject: string, as = asked): Promise<unknown> {
  const { url, cookies } = await bench.start("one", { intent: "link", ...as });
  return bench.finish("one", await server.signIn(url, { subject }), cookies);
}

const signIn = (subject: string) => signInAt(bench, server, "one", { subject });

test("an identity that its owner linked signs in, whatever its address", async () => {
  expect(await link("elsewhere")).toEqual({ intent: "link", mode: "cookie", returnTo: undefined });
  expect((await signIn("elsewhere")).user.id).toBe(ada.id);
  expect(await countOf("users")).toBe(1);
  expect(await eventsOf("auth.identity.linked")).toMatchObject([
    { user_id: ada.id, result: "success", metadata: { provider: "one" } },
  ]);
  const owner = { email: ada.email, name: expect.any(String) };
  expect(bench.changes).toEqual([{ userId: ada.id, what: "linked", provider: "one", owner }]);
});

describe("no identity is linked", () => {
  test("that is another's", async () => {
    await signIn("ben");
    await expect(link("ben")).rejects.toEqual(refusal("CONFLICT"));
    expect(await bench.identities.list(ada.id)).toEqual([]);
  });

  test("twice, and of ten at once one is", async () => {
    const all = await Promise.allSettled(Array.from({ length: 10 }, () => link("elsewhere")));
    expect(all.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    await expect(link("elsewhere")).rejects.toEqual(refusal("CONFLICT"));
    expect(await countOf("identities")).toBe(1);
    expect(bench.changes).toHaveLength(1);
  });

  test.each<[what: string, meanwhile: () => Promise<unknown>]>([
    ["whose session has ended", () => app.query(sql`DELETE FROM bulwark.sessions`)],
    [
      "whose account is disabled",
      () => app.query(sql`UPDATE bulwark.users SET disabled_at = now()`),
    ],
    ["whose account is gone", () => app.query(sql`DELETE FROM bulwark.users`)],
  ])("to a user %s meanwhile", async (_what, meanwhile) => {
    const { url, cookies } = await bench.start("one", { intent: "link", ...asked });
    const back = await server.signIn(url, { subject: "elsewhere" });
    await meanwhile();
    await expect(bench.finish("one", back, cookies)).rejects.toMatchObject({
      code: expect.stringMatching(/^(UNAUTHORIZED|INVALID_REQUEST)$/),
    });
    expect(await countOf("identities")).toBe(0);
    expect(bench.changes).toEqual([]);
  });

  test("to a user by a session of another", async () => {
    const ben = await app.signUp();
    const as = { userId: ada.id, sessionId: await sessionOf(ben) };
    await expect(link("elsewhere", as)).rejects.toEqual(refusal("UNAUTHORIZED"));
  });

  // A link that Mallory began must not end in the browser of Ada, nor the other way round.
  test("from another browser than the one that asked", async () => {
    const { url } = await bench.start("one", { intent: "link", ...asked });
    const back = await server.signIn(url, { subject: "elsewhere" });
    const other = await bench.start("one");
    await expect(bench.finish("one", back, other.cookies)).rejects.toEqual(
      refusal("INVALID_REQUEST"),
    );
  });

  test("by a sign-in, nor is anybody signed in by a link", async () => {
    await signIn("ben");
    expect(await bench.identities.list(ada.id)).toEqual([]);
    expect(await link("elsewhere")).not.toHaveProperty("user");
  });
});

describe("unlinking", () => {
  test("takes the identity, which then signs nobody in", async () => {
    await link("elsewhere");
    const [identity] = await bench.identities.list(ada.id);
    await bench.identities.unlink(ada.id, identity?.id ?? "", {});
    expect(await bench.identities.list(ada.id)).toEqual([]);
    expect((await signIn("elsewhere")).user.id).not.toBe(ada.id);
    expect(bench.changes).toHaveLength(2);
    expect(await eventsOf("auth.identity.unlinked")).toHaveLength(1);
  });

  test("takes no identity of another, and none that is not there", async () => {
    const { user } = await signIn("ben");
    const [identity] = await bench.identities.list(user.id);
    for (const id of [identity?.id ?? "", crypto.randomUUID(), "1", "'"]) {
      await expect(bench.identities.unlink(ada.id, id, {})).rejects.toEqual(refusal("NOT_FOUND"));
    }
    expect(await countOf("identities")).toBe(1);
  });

  test("leaves the last way in: of two at once one is taken", async () => {
    const { user } = await signIn("ben");
    const [only] = await bench.identities.list(user.id);
    await expect(bench.identities.unlink(user.id, only?.id ?? "", {})).rejects.toEqual(
      refusal("CONFLICT"),
    );
    await app.query(sql`
      INSERT INTO bulwark.identities (id, user_id, provider, issuer, subject, created_at)
      VALUES (gen_random_uuid(), ${user.id}, 'two', 'https://two.example', 's', now())`);
    const both = await bench.identities.list(user.id);
    const all = await Promise.allSettled(
      both.map(({ id }) => bench.identities.unlink(user.id, id, {})),
    );
    expect(all.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(await bench.identities.list(user.id)).toHaveLength(1);
  });
});
