// 32 logins at once: PasswordService with its queue beside the bare hasher at the same concurrency, by verifications a second
// and by how long the event loop is kept waiting meanwhile.
import { monitorEventLoopDelay } from "node:perf_hooks";
import { HashQueue, PasswordService } from "../../dist/auth/index.js";
import { hash, verify } from "@node-rs/argon2";
import { runSuite } from "../harness.js";

const AT_ONCE = 32;
const PER_ROUND = 96;
const PASSWORD = "correct horse battery";

export async function logins() {
  const service = new PasswordService({ queue: new HashQueue() });
  const stored = await hash(PASSWORD, { memoryCost: 19_456, timeCost: 2, parallelism: 1 });
  const bare = () => verify(stored, PASSWORD);
  const ours = (i) => service.verifyPassword(PASSWORD, stored, { address: `192.0.2.${i % AT_ONCE}` });
  await runSuite({
    name: "logins",
    unit: "verifications/s, 32 at once",
    cases: {
      "@node-rs/argon2, bare": async () => (await measure(bare)).rate,
      "bulwark PasswordService": async () => (await measure(ours)).rate,
    },
    ratios: [{ case: "bulwark PasswordService", to: "@node-rs/argon2, bare", atLeast: 0.9 }],
  });
  return runSuite({
    name: "logins: event loop",
    unit: "1/s: one over the p99 of the event loop's delay, 32 at once",
    cases: {
      "@node-rs/argon2, bare": async () => 1 / (await measure(bare)).delay,
      "bulwark PasswordService": async () => 1 / (await measure(ours)).delay,
    },
    ratios: [{ case: "bulwark PasswordService", to: "@node-rs/argon2, bare", atLeast: 0.667 }],
    note: () => "a delay of 1.5 x the bare hasher's is a ratio of 0.667",
  });
}

/** Verifications a second, and the 99th percentile of the loop's delay in seconds, of one round. */
async function measure(work) {
  const monitor = monitorEventLoopDelay({ resolution: 1 });
  monitor.enable();
  const started = performance.now();
  let next = 0;
  const worker = async () => {
    while (next < PER_ROUND) {
      const i = next++;
      if (!(await work(i))) throw new Error("expected the password to verify");
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const seconds = (performance.now() - started) / 1_000;
  monitor.disable();
  return { rate: PER_ROUND / seconds, delay: monitor.percentile(99) / 1e9 };
}
