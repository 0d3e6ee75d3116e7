// Verifying a bearer token with its session read in memory, seen before and new, beside jose's jwtVerify alone.
import { createBulwark } from "../../dist/index.js";
import { jwtVerify, SignJWT } from "jose";
import { asyncRateOf, runSuite } from "../harness.js";

export async function tokens() {
  const bulwark = createBulwark({
    mode: "development",
    issuer: "http://localhost:1",
    database: { insecureInMemory: true },
  });
  await bulwark.ready();
  const input = { email: "a@example.com", password: "correct horse battery", name: "A" };
  const user = await bulwark.auth.createUser(input, { roles: ["user"], verified: true }, {});
  const session = await bulwark.database.transaction((tx) =>
    bulwark.sessions.create(tx, { userId: user.id, methods: [] }),
  );
  const make = () => bulwark.tokens.generateToken({ ...session, userId: user.id });
  const known = await make();
  const fresh = [];
  for (let i = 0; i < 18_000; i += 1) fresh.push(await make());
  let used = 0;

  const key = new TextEncoder().encode("0123456789abcdef0123456789abcdef");
  const claims = { issuer: "i", audience: "i", algorithms: ["HS256"] };
  const foreign = await new SignJWT({ sid: "s" })
    .setProtectedHeader({ alg: "HS256" })
    .setIssuer("i")
    .setAudience("i")
    .setIssuedAt()
    .setExpirationTime("1h")
    .sign(key);
  try {
    return await runSuite({
      name: "tokens",
      unit: "verifications/s, session read included",
      cases: {
        "jose jwtVerify alone": () => asyncRateOf(() => jwtVerify(foreign, key, claims)),
        "bulwark, token seen before": () => asyncRateOf(() => bulwark.tokens.verifyToken(known)),
        "bulwark, token first seen": () => {
          const until = used + 1_800;
          return measureFresh(() => bulwark.tokens.verifyToken(fresh[used++ % fresh.length]), until - used);
        },
      },
      ratios: [
        { case: "bulwark, token seen before", to: "jose jwtVerify alone", atLeast: 5 },
        { case: "bulwark, token first seen", to: "jose jwtVerify alone", atLeast: 0.8 },
      ],
      note: "a first-seen token may cost 1.25 x jose alone, which is a rate of 0.8",
    });
  } finally {
    await bulwark.close();
  }
}

async function measureFresh(work, runs) {
  const started = performance.now();
  for (let i = 0; i < runs; i += 1) await work();
  return (runs * 1_000) / (performance.now() - started);
}
