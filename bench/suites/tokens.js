// Verifying a bearer token with its session read in memory, seen before and new, beside jose's jwtVerify alone.
import { createBulwark } from "../../dist/index.js";
import { decodeJwt, decodeProtectedHeader, jwtVerify, SignJWT } from "jose";
import { asyncRateOf, runSuite } from "../harness.js";

const ISSUER = "http://localhost:1";

export async function tokens() {
  const bulwark = createBulwark({
    mode: "development",
    issuer: ISSUER,
    database: { insecureInMemory: true },
  });
  await bulwark.ready();
  const input = { email: "a@example.com", password: "correct horse battery", name: "A" };
  const as = { roles: ["user"], verified: true };
  const user = await bulwark.registration.createUser(input, as, {});
  const session = await bulwark.database.transaction((tx) =>
    bulwark.sessions.create(tx, { userId: user.id, mode: "token", methods: [] }),
  );
  const make = () =>
    bulwark.tokens.generateToken({ ...session, sessionId: session.id, userId: user.id });
  const known = await make();
  const fresh = [];
  // More than are remembered: who comes round again is new again.
  for (let i = 0; i < 40_000; i += 1) fresh.push(await make());
  let used = 0;

  const { foreign, key } = await sameWords(known);
  const claims = { issuer: ISSUER, audience: ISSUER, algorithms: ["HS256"] };
  try {
    return await runSuite({
      name: "tokens",
      unit: "verifications/s, session read included",
      cases: {
        "jose jwtVerify alone": () => asyncRateOf(() => jwtVerify(foreign, key, claims)),
        "bulwark, token seen before": () => asyncRateOf(() => bulwark.tokens.verifyToken(known)),
        "bulwark, token first seen": () =>
          measureFresh(() => bulwark.tokens.verifyToken(fresh[used++ % fresh.length]), 4_000),
      },
      ratios: [
        { case: "bulwark, token seen before", to: "jose jwtVerify alone", atLeast: 5 },
        { case: "bulwark, token first seen", to: "jose jwtVerify alone", atLeast: 0.8 },
      ],
      note: () => "a first-seen token may cost 1.25 x jose alone, which is a rate of 0.8; jose has its fastest form of key, and a token of the same words",
    });
  } finally {
    await bulwark.close();
  }
}

/** The header and the claims of a token of ours under a key of jose's, imported once, as jose is fastest. */
async function sameWords(token) {
  const use = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.generateKey(use, false, ["sign", "verify"]);
  const foreign = await new SignJWT(decodeJwt(token))
    .setProtectedHeader(decodeProtectedHeader(token))
    .sign(key);
  return { foreign, key };
}

async function measureFresh(work, runs) {
  const started = performance.now();
  for (let i = 0; i < runs; i += 1) await work();
  return (runs * 1_000) / (performance.now() - started);
}
