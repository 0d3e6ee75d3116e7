import {
  type BodyRules,
  CONTENT_CODINGS,
  type ContentCoding,
  JSON_LIMITS,
  type JsonLimits,
} from "../core/index.ts";
import { createZlibDecoder } from "./zlib-decoder.ts";

/** BodyConfig is what bodies of requests may be. */
export interface BodyConfig {
  /** Bytes, both as they come and unpacked; a route's `maxBodyBytes` stands for it there. Default 1 MiB. */
  readonly maxBytes?: number | undefined;
  /** What a body may be packed with; an empty list takes none. Default `gzip`, `deflate`, `br`. */
  readonly codings?: readonly ContentCoding[] | undefined;
  /** Times its own size that a body may unpack to, once it is more than 64 KiB. Default 100. */
  readonly maxRatio?: number | undefined;
  /** What JSON may hold. Default a depth of 32, 10,000 keys, 100,000 elements. */
  readonly json?: Partial<JsonLimits> | undefined;
}

export interface ResolvedBodies {
  readonly maxBytes: number;
  readonly rules: Omit<BodyRules, "coding"> & {
    readonly coding: Omit<BodyRules["coding"], "decoder">;
  };
}

/** Above it, what walks a parsed value could run out of stack. */
const MAX_DEPTH = 1_000;
const MANY = 1_000_000_000;

/** resolveBodies fills in the defaults, and adds a problem for each field that is not valid. */
export function resolveBodies(config: BodyConfig, problems: string[]): ResolvedBodies {
  const whole = (name: string, value: number, most: number): void => {
    if (Number.isSafeInteger(value) && value >= 1 && value <= most) return;
    problems.push(
      `bodies.${name}: expected a whole number from 1 to ${most}, came ${JSON.stringify(value)}`,
    );
  };
  const { maxBytes = 1_048_576, codings = CONTENT_CODINGS, maxRatio = 100 } = config;
  whole("maxBytes", maxBytes, MANY);
  whole("maxRatio", maxRatio, 10_000);
  for (const coding of codings) {
    if (CONTENT_CODINGS.includes(coding)) continue;
    const known = CONTENT_CODINGS.map((one) => JSON.stringify(one)).join(", ");
    problems.push(`bodies.codings: expected ${known}, came ${JSON.stringify(coding)}`);
  }
  const json = { ...JSON_LIMITS, ...config.json };
  whole("json.depth", json.depth, MAX_DEPTH);
  whole("json.keys", json.keys, MANY);
  whole("json.elements", json.elements, MANY);
  return { maxBytes, rules: { json, coding: { codings, maxRatio } } };
}

/** wireBodies gives the rules what unpacks. */
export const wireBodies = ({ rules }: ResolvedBodies): BodyRules => ({
  ...rules,
  coding: { ...rules.coding, decoder: createZlibDecoder() },
});
