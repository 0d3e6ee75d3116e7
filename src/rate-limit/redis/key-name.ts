import { createHash } from "node:crypto";
import type { LimitAlgorithm, LimitPolicy, LimitRequest } from "../../core/index.ts";

const KINDS: Readonly<Record<LimitAlgorithm, string>> = {
  "token-bucket": "b",
  gcra: "b",
  "sliding-window-counter": "c",
  "sliding-window-log": "l",
};

/** kindOf is the letter of a way to count, in the script and in front of its keys: what counts otherwise is another key. */
export const kindOf = (algorithm: LimitAlgorithm): string => KINDS[algorithm];

/** keyName is the name of a request's key: its limit, the hash tag that keeps those of one decision together, and its own key. */
export const keyName = (kind: string, request: LimitRequest): string =>
  nameOf(nameHead(kind, request.policy), request);

/** nameHead is what the keys of a limit begin with. */
export const nameHead = (kind: string, { name }: LimitPolicy): string =>
  `${kind}:${name.replace(/[{}]/g, "_")}{`;

/** nameOf is {@link keyName} for those who have its head. */
export function nameOf(head: string, { key, tag = key }: LimitRequest): string {
  return key === tag ? `${head}${plain(key)}}` : `${head}${plain(tag)}}:${plain(key)}`;
}

const MAX_PLAIN = 128;

/** Braces would move the tag, a long key would take the server's memory, and a # in front stands for a digest. */
const PLAIN = /^(?!#)[^\p{Cc}{}]+$/u;

/** plain is a text as it may stand in a name: itself, or its digest. */
export function plain(text: string): string {
  if (text.length <= MAX_PLAIN && PLAIN.test(text)) return text;
  return `#${createHash("sha256").update(text).digest("base64url")}`;
}
