/** Clock tells the time in milliseconds since the epoch. Everything that expires, counts or records asks it. */
export interface Clock {
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };
