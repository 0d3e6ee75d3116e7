import { CONTENT_CODINGS } from "../core/index.ts";
import type { BodyConfig } from "./body-config.ts";

/** bodyFromEnv reads what a body may be; `none` takes no packed ones. It adds a problem for each value that is not valid. */
export function bodyFromEnv(
  maxBytes: string | undefined,
  codings: readonly string[] | undefined,
  problems: string[],
): BodyConfig {
  if (maxBytes !== undefined && !/^[1-9]\d{0,8}$/.test(maxBytes)) {
    problems.push(
      `BULWARK_MAX_BODY_BYTES: expected a whole number from 1 to 999999999, came ${JSON.stringify(maxBytes)}`,
    );
  }
  const isNone = codings?.length === 1 && codings[0] === "none";
  const unknown = codings?.find((name) => !CONTENT_CODINGS.some((coding) => coding === name));
  if (unknown !== undefined && !isNone) {
    problems.push(
      `BULWARK_BODY_CODINGS: expected gzip, deflate, br or none, came ${JSON.stringify(unknown)}`,
    );
  }
  return {
    maxBytes: maxBytes === undefined ? undefined : Number(maxBytes),
    codings: codings && CONTENT_CODINGS.filter((coding) => codings.includes(coding)),
  };
}
