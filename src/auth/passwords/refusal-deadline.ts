import { setTimeout as delay } from "node:timers/promises";

export interface RefusalDeadlineOptions {
  /** How far above a verification of the slowest stored algorithm the deadline lies. Default 2. */
  readonly factor?: number | undefined;
  /** Time in milliseconds from any fixed moment, never going back. Default `performance.now`. */
  readonly now?: (() => number) | undefined;
  /** Resolves after so many milliseconds. Default a timer of Node. */
  readonly delay?: ((ms: number) => Promise<unknown>) | undefined;
}

/** Verifications that are remembered of each recipe: enough for a 95th percentile, few enough to follow a machine. */
const REMEMBERED = 32;
/** Recipes that are remembered: those seen last. */
const RECIPES = 16;

/**
 * RefusalDeadline makes refusals take the same time whatever they refuse. It keeps how long verifications took lately, by
 * recipe (algorithm and parameters), and lets a refusal go at the start plus `factor` times the 95th percentile of the slowest one.
 */
export class RefusalDeadline {
  readonly #factor: number;
  readonly #delay: (ms: number) => Promise<unknown>;
  readonly #tookByRecipe = new Map<string, number[]>();
  /** The clock of `wait`. */
  readonly now: () => number;

  constructor(options: RefusalDeadlineOptions = {}) {
    this.#factor = options.factor ?? 2;
    this.now = options.now ?? (() => performance.now());
    this.#delay = options.delay ?? delay;
  }

  /** observe remembers what one verification took, in milliseconds, without its time in the queue. */
  observe(recipe: string, ms: number): void {
    const took = this.#tookByRecipe.get(recipe) ?? [];
    took.push(ms);
    if (took.length > REMEMBERED) took.shift();
    // Set anew, so that the first in the map is the one not seen for the longest time.
    this.#tookByRecipe.delete(recipe);
    this.#tookByRecipe.set(recipe, took);
    const [oldest] = this.#tookByRecipe.keys();
    if (this.#tookByRecipe.size > RECIPES && oldest !== undefined) {
      this.#tookByRecipe.delete(oldest);
    }
  }

  /** isMeasured tells whether a recipe is one of those remembered. */
  isMeasured(recipe: string): boolean {
    return this.#tookByRecipe.has(recipe);
  }

  /** slowest names the recipe whose verifications take longest; undefined before the first. */
  slowest(): string | undefined {
    let slowest: { recipe: string; ms: number } | undefined;
    for (const [recipe, took] of this.#tookByRecipe) {
      const ms = percentile95(took);
      if (slowest === undefined || ms > slowest.ms) slowest = { recipe, ms };
    }
    return slowest?.recipe;
  }

  /** Milliseconds from the start of a login to its refusal. 0 before the first verification. */
  get milliseconds(): number {
    const recipe = this.slowest();
    return recipe === undefined
      ? 0
      : this.#factor * percentile95(this.#tookByRecipe.get(recipe) ?? [0]);
  }

  /** wait resolves at `startedAt` (by `now`) plus the deadline; at once where that is past. */
  async wait(startedAt: number): Promise<void> {
    const left = startedAt + this.milliseconds - this.now();
    if (left > 0) await this.#delay(left);
  }
}

function percentile95(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.95) - 1] ?? 0;
}
