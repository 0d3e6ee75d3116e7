import { createHash } from "node:crypto";
import type { LimitAlgorithm, LimitRequest } from "../../core/index.ts";

const KINDS: Readonly<Record<LimitAlgorithm, string>> = {
  "token-bucket": "b",
  gcra: "b",
  "sliding-window-counter": "c",
  "sliding-window-log": "l",
};

/** kindOf is the letter of a way to count, in the script and in front of its keys: what counts otherwise is another key. */
export const kindOf = (algorithm: LimitAlgorithm): string => KINDS[algorithm];

/** keyName is the name of a request's key: its limit, the hash tag that keeps those of one decision together, and its own key. */
export function keyName(kind: string, { policy, key, tag = key }: LimitRequest): string {
  const name = policy.name.replace(/[{}]/g, "_");
  const own = key === tag ? "" : `:${plain(key)}`;
  return `${kind}:${name}{${plain(tag)}}${own}`;
}

// Braces would move the tag, a long key would take the server's memory, and a # stands for a digest.
const NOT_PLAIN = /^#|[{}\p{Cc}]/u;
const MAX_PLAIN = 128;

/** plain is a text as it may stand in a name: itself, or its digest. */
export function plain(text: string): string {
  if (text !== "" && text.length <= MAX_PLAIN && !NOT_PLAIN.test(text)) return text;
  return `#${createHash("sha256").update(text).digest("base64url")}`;
}
