// Validating a known API key: in one process from memory, its limit decided and not, and over PostgreSQL's way of one read for
// all that are asked at once; beside what no implementation can do without: a SHA-256 of the secret and a look into a Map.
import { createHash, timingSafeEqual } from "node:crypto";
import { createBulwark } from "../../dist/index.js";
import { APIKeyService } from "../../dist/api-keys/index.js";
import { asyncRateOf, rateOf, runSuite } from "../harness.js";

const ISSUER = "http://localhost:1";
const KEYS = 1_000;
const LIMIT = { requests: 1_000_000_000, window: "1m" };

export async function apiKeys() {
  const bulwark = createBulwark({
    mode: "development",
    issuer: ISSUER,
    database: { insecureInMemory: true },
    apiKeys: { limit: LIMIT, maxPerOwner: KEYS },
  });
  await bulwark.ready();
  const input = { email: "a@example.com", password: "correct horse battery", name: "A" };
  const as = { roles: ["user"], verified: true };
  const { id: userId } = await bulwark.registration.createUser(input, as, {});
  const make = (more = {}) =>
    bulwark.apiKeys.create(
      { name: "k", scopes: ["products:read"], ...more },
      { userId },
      undefined,
      {},
    );
  const keys = [];
  for (let i = 0; i < KEYS - 2; i += 1) keys.push((await make()).key);
  const { key: several } = await make({
    limits: [
      { name: "burst", requests: 1_000_000_000, window: "1s" },
      { name: "day", requests: 1_000_000_000, window: "1d" },
    ],
  });
  const [key] = keys;

  const access = {
    scopes: ["products:read"],
    permissionsOf: () => new Set(["products:read"]),
  };
  const parts = { audit: bulwark.audit, access, limit: LIMIT, database: bulwark.database };
  const unlimited = new APIKeyService({
    ...parts,
    limiter: { decide: () => ({ allowed: true, retryAfterMs: 0, states: [], violated: [] }) },
  });
  // As several processes read: nothing from memory, the reads of one turn in one statement.
  let reads = 0;
  const shared = {
    ...bulwark.database,
    exclusive: false,
    run: (work) => {
      reads += 1;
      return bulwark.database.run(work);
    },
  };
  const coalesced = new APIKeyService({ ...parts, database: shared, limiter: bulwark.limiter });
  await Promise.all(Array.from({ length: 1_000 }, (_, i) => coalesced.validateAPIKey(keys[i % 998])));
  const perThousand = reads;

  // Known from now on, as the goal says.
  await Promise.all([...keys, several].map((each) => bulwark.apiKeys.validateAPIKey(each)));

  const floor = floorOf(key);
  try {
    return await runSuite({
      name: "api-keys",
      unit: "validations/s",
      cases: {
        "SHA-256, compare, Map (floor)": () => rateOf(() => floor(key)),
        "one key, limit off": () => asyncRateOf(() => unlimited.validateAPIKey(key)),
        "one key, limit on": () => asyncRateOf(() => bulwark.apiKeys.validateAPIKey(key)),
        "one key, three limits": () => asyncRateOf(() => bulwark.apiKeys.validateAPIKey(several)),
        "1,000 keys, limit on": () =>
          asyncRateOf((i) => bulwark.apiKeys.validateAPIKey(keys[i % keys.length])),
        "a wrong checksum, refused": () =>
          asyncRateOf(() => bulwark.apiKeys.validateAPIKey(`${key.slice(0, -6)}000000`).catch(() => {})),
        "1,000 at once, one read of PGlite each time": () =>
          asyncRateOf((i) => coalesced.validateAPIKey(keys[i % keys.length]), { inFlight: 1_000 }),
      },
      ratios: [
        { case: "one key, limit on", to: "SHA-256, compare, Map (floor)" },
        { case: "one key, limit off", to: "SHA-256, compare, Map (floor)" },
      ],
      note: () => `goal: 100,000/s of a known key in a single process; ${perThousand} statement for 1,000 validations at once where nothing is in memory`,
    });
  } finally {
    await unlimited.close();
    await coalesced.close();
    await bulwark.close();
  }
}

/** What cannot be left out: the hash of what was shown, and its comparison with what is known. */
function floorOf(key) {
  const digest = (text) => createHash("sha256").update(text.slice(32, -6)).digest();
  const known = new Map([[key.slice(9, 31), digest(key)]]);
  return (text) => {
    const expected = known.get(text.slice(9, 31));
    return expected !== undefined && timingSafeEqual(expected, digest(text));
  };
}
