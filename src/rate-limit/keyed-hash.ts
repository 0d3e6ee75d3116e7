/** Bound once: where another package has derived a class from String, `text.charCodeAt` is searched for at every character. */
const codeAt: (text: string, index: number) => number = Function.prototype.call.bind(
  Reflect.get(String.prototype, "charCodeAt") as (this: string, index: number) => number,
);

/** The state of a hash between two texts: what one limit's name left behind, so that a key is all that is hashed per request. */
export interface HashState {
  readonly v0: number;
  readonly v1: number;
  readonly v2: number;
  readonly v3: number;
  /** The text that was hashed last behind it, and what came of it: one caller asks many times in a row. */
  readonly last: { text: string; low: number; high: number };
}

/**
 * KeyedHash is HalfSipHash-1-3, the keyed hash that Linux has for its own tables, with 64 bits of its state as the result: whoever
 * does not know the key can neither choose two texts that meet in one bucket nor see where a text lands. It is for tables alone.
 *
 * `digest` leaves its result in `low` and `high`, since a number cannot hold 64 bits and an object per request would cost more
 * than the hash. Texts of characters below 256 are read four to a word, others two to a word and under another ending.
 */
export class KeyedHash {
  low = 0;
  high = 0;
  readonly #key: readonly [number, number];

  constructor(key: ArrayLike<number> = crypto.getRandomValues(new Uint32Array(2))) {
    this.#key = [(key[0] ?? 0) | 0, (key[1] ?? 0) | 0];
  }

  /** begin returns the state after a text that many digests have in common. */
  begin(text: string): HashState {
    let [v0, v1] = this.#key;
    let v2 = 0x6c796765 ^ v0;
    let v3 = 0x74656462 ^ v1;
    v1 ^= 0xee;
    for (let index = 0; index <= text.length; index += 1) {
      // Its length stands behind it: "ab" and "c" are not "a" and "bc".
      const word = index < text.length ? codeAt(text, index) : text.length | 0x40000000;
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
    }
    return { v0, v1, v2, v3, last: { text: "", low: 0, high: 0 } };
  }

  /** digest hashes one text behind what was begun. */
  digest(state: HashState, text: string): void {
    const { length } = text;
    const { last } = state;
    // An empty text has no end, and so none is taken for the one before the first. Most that differ do so at their ends, and two texts are not compared at length.
    if (
      codeAt(text, length - 1) === codeAt(last.text, last.text.length - 1) &&
      text === last.text
    ) {
      this.low = last.low;
      this.high = last.high;
      return;
    }
    let v0 = state.v0 | 0;
    let v1 = state.v1 | 0;
    let v2 = state.v2 | 0;
    let v3 = state.v3 | 0;
    let all = 0;
    let index = 0;
    let word = 0;
    // One loop for the words of four and for the last one, which holds up to three characters and the length.
    for (let left = length; left >= 0; left -= 4) {
      if (left >= 4) {
        const a = codeAt(text, index);
        const b = codeAt(text, index + 1);
        const c = codeAt(text, index + 2);
        const d = codeAt(text, index + 3);
        all |= a | b | c | d;
        word = a | (b << 8) | (c << 16) | (d << 24);
        index += 4;
      } else {
        word = length << 24;
        for (let shift = 0; index < length; shift += 8) {
          const code = codeAt(text, index);
          all |= code;
          word |= code << shift;
          index += 1;
        }
      }
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
    }
    if (all > 255) this.#digestWide(state, text);
    else this.#finish(v0, v1, v2, v3, 0xee);
    last.text = text;
    last.low = this.low;
    last.high = this.high;
  }

  #digestWide(state: HashState, text: string): void {
    let v0 = state.v0 | 0;
    let v1 = state.v1 | 0;
    let v2 = state.v2 | 0;
    let v3 = state.v3 | 0;
    for (let index = 0; index <= text.length; index += 2) {
      const low = index < text.length ? codeAt(text, index) : text.length;
      const high = index + 1 < text.length ? codeAt(text, index + 1) : text.length;
      const word = low | (high << 16);
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
    }
    this.#finish(v0, v1, v2, v3, 0xbb);
  }

  /** The result is the state's two halves after three rounds, not two words of three rounds each: for a table that is as good. */
  #finish(a: number, b: number, c: number, d: number, ending: number): void {
    let v0 = a;
    let v1 = b;
    let v2 = c ^ ending;
    let v3 = d;
    for (let round = 0; round < 3; round += 1) {
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
    }
    this.low = v1 ^ v3;
    // A hash of nothing but zeros is an empty slot.
    this.high = (v0 ^ v2) === 0 ? 1 : v0 ^ v2;
  }
}
