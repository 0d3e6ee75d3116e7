import type { TokenAlgorithm } from "./token-key.ts";

/** What a token said when it was verified. It is only as good as its end, its key and its session. */
export interface VerifiedToken {
  readonly sessionId: string;
  readonly userId: string;
  /** NumericDate, in seconds. */
  readonly exp: number;
  /** The key that verified it. */
  readonly kid: string;
  readonly algorithm: TokenAlgorithm;
}

/**
 * VerifiedTokens remembers tokens whose signature was verified, by a digest of the whole token: at most `capacity`, in two
 * generations. When the young one is full it becomes the old one, whose tokens are forgotten unless they are asked for again.
 */
export class VerifiedTokens {
  readonly #half: number;
  #young = new Map<string, VerifiedToken>();
  #old = new Map<string, VerifiedToken>();

  constructor(capacity: number) {
    this.#half = Math.max(1, Math.floor(capacity / 2));
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(digest: string): VerifiedToken | undefined {
    const young = this.#young.get(digest);
    if (young !== undefined) return young;
    const old = this.#old.get(digest);
    if (old === undefined) return undefined;
    this.#old.delete(digest);
    this.set(digest, old);
    return old;
  }

  set(digest: string, token: VerifiedToken): void {
    if (this.#young.size >= this.#half) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(digest, token);
  }

  delete(digest: string): void {
    this.#young.delete(digest);
    this.#old.delete(digest);
  }
}
