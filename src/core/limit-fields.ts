import type { LimitPolicy, LimitState } from "./ports.ts";

/** What a response says of its limits: the items of `RateLimit-Policy` and `RateLimit`, and the limit that is nearest to refusing. */
export interface LimitFields {
  readonly policies: string;
  readonly states: string;
  readonly tightest: LimitState;
}

/**
 * addLimitFields adds what was decided to what is said already (draft-ietf-httpapi-ratelimit-headers-11). `partitionOf` is a keyed
 * hash of whom a limit counts, in base64. Limits that are hidden are not told.
 */
export function addLimitFields(
  said: LimitFields | undefined,
  states: readonly LimitState[],
  partitionOf: ((key: string) => string) | undefined,
): LimitFields | undefined {
  let fields = said;
  for (const state of states) {
    const { policy, remaining, resetMs, key } = state;
    if (policy.isHidden === true) continue;
    const partition =
      key === undefined || partitionOf === undefined ? "" : `;pk=:${partitionOf(key)}:`;
    const { name, item } = itemOf(policy);
    const told = `${name};r=${remaining};t=${Math.ceil(resetMs / 1_000)}${partition}`;
    fields =
      fields === undefined
        ? { policies: item, states: told, tightest: state }
        : {
            policies: `${fields.policies}, ${item}`,
            states: `${fields.states}, ${told}`,
            tightest: share(state) < share(fields.tightest) ? state : fields.tightest,
          };
  }
  return fields;
}

const share = ({ policy, remaining }: LimitState): number => remaining / policy.requests;

interface PolicyItem {
  /** A String of structured fields (RFC 9651 section 3.3.3). */
  readonly name: string;
  readonly item: string;
}

const items = new WeakMap<LimitPolicy, PolicyItem>();

/** A policy says the same on each response: its text is made once. */
function itemOf(policy: LimitPolicy): PolicyItem {
  let made = items.get(policy);
  if (made === undefined) {
    const name = `"${policy.name.replace(/[^ -~]/g, "?").replace(/["\\]/g, "\\$&")}"`;
    // A window is told in whole seconds, and one that has none is not told.
    const window = policy.windowMs % 1_000 === 0 ? `;w=${policy.windowMs / 1_000}` : "";
    made = { name, item: `${name};q=${policy.requests}${window}` };
    items.set(policy, made);
  }
  return made;
}
