import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type TestApp, testApp } from "../../support/app.ts";
import type { OidcServer } from "../../support/oidc-server.ts";
import {
  CLIENT_SECRET,
  countOf,
  makeBench,
  type OidcBench,
  refusal,
  signInAt,
  startServer,
} from "./support.ts";

const DISCOVERY = "/.well-known/openid-configuration";
let app: TestApp;
let server: OidcServer;
let bench: OidcBench;

beforeAll(async () => {
  app = await testApp();
  server = await startServer("one");
});
afterAll(() => server.stop());
beforeEach(async () => {
  await app.reset();
  server.asked.clear();
  const client = { clientId: "bulwark", clientSecret: CLIENT_SECRET };
  bench = await makeBench({ one: { issuer: server.issuer, ...client } });
});

const unreachable = {
  code: "EXTERNAL_SERVICE_ERROR",
  statusCode: 502,
  message: "oidc provider one failed",
};

test("nobody is asked before somebody signs in, and then once for all who do", async () => {
  await bench.provider.open();
  expect(server.asked.size).toBe(0);
  await Promise.all(Array.from({ length: 10 }, () => bench.start("one")));
  await bench.start("one");
  expect(server.asked.get(DISCOVERY)).toBe(1);
});

test("metadata are read again after an hour", async () => {
  await bench.start("one");
  bench.clock.advance(3_599_000);
  await bench.start("one");
  expect(server.asked.get(DISCOVERY)).toBe(1);
  bench.clock.advance(2_000);
  await bench.start("one");
  expect(server.asked.get(DISCOVERY)).toBe(2);
});

test("a provider that is down is a 502 that leaves no row, and is asked again after a moment", async () => {
  await server.stop();
  await expect(bench.start("one")).rejects.toMatchObject(unreachable);
  expect(await countOf("one_time_tokens")).toBe(0);
  await server.start();
  await expect(bench.start("one")).rejects.toMatchObject(unreachable);
  expect(server.asked.size).toBe(0);
  bench.clock.advance(5_000);
  expect(await signInAt(bench, server, "one", { subject: "ada" })).toMatchObject({
    intent: "sign-in",
  });
});

test("a provider that goes down meanwhile is a 502, and the sign-in is used up", async () => {
  const { url, cookies } = await bench.start("one");
  const back = await server.signIn(url, { subject: "ada" });
  await server.stop();
  await expect(bench.finish("one", back, cookies)).rejects.toMatchObject(unreachable);
  await server.start();
  await expect(bench.finish("one", back, cookies)).rejects.toEqual(refusal("INVALID_REQUEST"));
  expect(await signInAt(bench, server, "one", { subject: "ada" })).toMatchObject({
    intent: "sign-in",
  });
});

test("a provider that is down keeps nobody from another", async () => {
  const other = await startServer("two");
  const client = { clientId: "bulwark", clientSecret: CLIENT_SECRET };
  const both = await makeBench({
    one: { issuer: "http://127.0.0.1:9", ...client },
    two: { issuer: other.issuer, ...client },
  });
  await expect(both.start("one")).rejects.toMatchObject(unreachable);
  expect(await signInAt(both, other, "two", { subject: "ada" })).toMatchObject({
    intent: "sign-in",
  });
  await other.stop();
});
