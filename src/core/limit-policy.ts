/**
 * How a limit counts. `token-bucket` and `gcra` are one arithmetic: `burst` requests at once, refilled evenly. The log is exact in
 * any window and keeps every request; the counter weighs the window before, and keeps two numbers.
 */
export type LimitAlgorithm =
  | "token-bucket"
  | "gcra"
  | "sliding-window-counter"
  | "sliding-window-log";

/**
 * What a limit answers while its store cannot be asked: `deny` refuses with a 503, `local` counts in this process (its share of the
 * limit, where several are declared), `insecureAllow` lets everything pass.
 */
export type LimitFailure = "deny" | "local" | "insecureAllow";

/** A limit by name: at most `requests` in any `windowMs`, refilled evenly. */
export interface LimitPolicy {
  readonly name: string;
  readonly requests: number;
  readonly windowMs: number;
  /** Default `token-bucket`. */
  readonly algorithm?: LimitAlgorithm | undefined;
  /** Requests at once, of a bucket. Default `requests`. */
  readonly burst?: number | undefined;
  /** Default `local`. */
  readonly onFailure?: LimitFailure | undefined;
  /** Keeps it out of the headers: what counts by account must not tell a stranger that the account is there. Default false. */
  readonly isHidden?: boolean | undefined;
}
