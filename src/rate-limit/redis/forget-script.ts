/** KEYS: what an operator lifts. */
export const FORGET = "return redis.call('DEL', unpack(KEYS))";
