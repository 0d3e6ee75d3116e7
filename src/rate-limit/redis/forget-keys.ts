import type { LimitPolicy } from "../../core/index.ts";
import { FORGET } from "./forget-script.ts";
import { keyName, kindOf } from "./key-name.ts";
import type { RedisCommands } from "./redis-commands.ts";
import { Script } from "./script.ts";

const forgetting = new Script(FORGET);

/**
 * What is forgotten: one key under some limits, decided with one tag.
 * @public
 */
export interface Forgotten {
  readonly policies: readonly LimitPolicy[];
  readonly key: string;
  /** Default: the key. */
  readonly tag?: string | undefined;
  /** As that of the limiter. Default `bulwark:limit:`. */
  readonly prefix?: string | undefined;
}

/**
 * forgetKeys deletes what is counted of a key, whoever decided it. Rejects only if Redis does not answer.
 * @public
 */
export async function forgetKeys(redis: RedisCommands, forgotten: Forgotten): Promise<void> {
  const { policies, key, tag, prefix = "bulwark:limit:" } = forgotten;
  const names = policies.map(
    (policy) => prefix + keyName(kindOf(policy.algorithm ?? "token-bucket"), { policy, key, tag }),
  );
  if (names.length > 0) await forgetting.run(redis, names, []);
}
