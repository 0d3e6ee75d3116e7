const FIRST_SLOTS = 1_024;
/** Slots that one insertion looks at for something that is over, while the table is full: a flood pays this much a request, and no pause. */
const SWEEP_SLOTS = 64;

/**
 * KeyTable holds one moment, and with `numbers` two whole numbers besides, for each of at most `maxKeys` keys: open addressing over
 * typed arrays, 16 bytes a slot (24 with numbers), between 1.3 and 2.7 slots for a key. A key is its 64-bit keyed hash, of
 * which the high half is never zero. An entry whose moment has passed says nothing any more and makes room; no other entry ever does.
 *
 * A place is the index of a slot in `words`; it is good until the next insertion or removal.
 */
export class KeyTable {
  readonly #maxKeys: number;
  readonly #maxSlots: number;
  /** Words of 32 bits to a slot: hash, hash, moment, moment, and the two numbers. */
  readonly #stride: number;
  #mask = 0;
  #size = 0;
  #hand = 0;
  words = new Int32Array(0);
  /** The moments, as the same memory shows them: that of a place stands at `(place >> 1) + 1`. */
  moments = new Float64Array(0);

  constructor(maxKeys: number, numbers: "none" | "two" = "none") {
    this.#maxKeys = maxKeys;
    this.#stride = numbers === "two" ? 6 : 4;
    this.#maxSlots = 2 ** Math.ceil(Math.log2(Math.max(16, (maxKeys * 4) / 3)));
    this.#allocate(Math.min(FIRST_SLOTS, this.#maxSlots));
  }

  get size(): number {
    return this.#size;
  }

  /** Bytes that the table takes now. */
  get bytes(): number {
    return this.words.byteLength;
  }

  /** find returns the place of a key, or -1. */
  find(low: number, high: number): number {
    const { words } = this;
    const mask = this.#mask;
    const stride = this.#stride;
    for (let slot = low & mask; ; slot = (slot + 1) & mask) {
      const place = slot * stride;
      const found = words[place + 1] as number;
      if (found === high && words[place] === low) return place;
      if (found === 0) return -1;
    }
  }

  /** insert returns the place of a key that is not there yet, or -1 where everything that is there is still of use. */
  insert(low: number, high: number, now: number): number {
    if (this.#size >= this.#maxKeys) this.#sweep(now);
    else if (this.#size * 4 >= (this.#mask + 1) * 3) this.#rebuild(now);
    if (this.#size >= this.#maxKeys) return this.#reuse(low, high, now);
    const place = this.#place(low, now);
    if (this.words[place + 1] === 0) this.#size += 1;
    this.words[place] = low;
    this.words[place + 1] = high;
    return place;
  }

  /** removeAt takes an entry out; those behind it move up, so that none is lost behind a hole. */
  removeAt(place: number): void {
    const { words, moments } = this;
    const mask = this.#mask;
    const stride = this.#stride;
    let hole = place / stride;
    for (let slot = (hole + 1) & mask; ; slot = (slot + 1) & mask) {
      const from = slot * stride;
      if (words[from + 1] === 0) break;
      const home = (words[from] as number) & mask;
      // It stays where the hole is not between its home and itself.
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      words.copyWithin(hole * stride, from, from + stride);
      hole = slot;
    }
    words[hole * stride] = 0;
    words[hole * stride + 1] = 0;
    moments[((hole * stride) >> 1) + 1] = 0;
    this.#size -= 1;
  }

  /** Where a new key goes: the first slot on its way that is empty or over. */
  #place(low: number, now: number): number {
    const { words, moments } = this;
    for (let slot = low & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const place = slot * this.#stride;
      if (words[place + 1] === 0) return place;
      if ((moments[(place >> 1) + 1] as number) <= now) return place;
    }
  }

  /** A full table still takes a key whose way leads over an entry that is over. */
  #reuse(low: number, high: number, now: number): number {
    const place = this.#place(low, now);
    if (this.words[place + 1] === 0) return -1;
    this.words[place] = low;
    this.words[place + 1] = high;
    return place;
  }

  #sweep(now: number): void {
    const slots = this.#mask + 1;
    for (let looked = 0; looked < SWEEP_SLOTS && looked < slots; looked += 1) {
      const place = this.#hand * this.#stride;
      const used = this.words[place + 1] !== 0;
      // Another entry may move into the slot, which is looked at next.
      if (used && (this.moments[(place >> 1) + 1] as number) <= now) this.removeAt(place);
      else this.#hand = (this.#hand + 1) & this.#mask;
    }
  }

  /** Drops what is over, and doubles the table where that is not enough. */
  #rebuild(now: number): void {
    const { words, moments } = this;
    const stride = this.#stride;
    const live: number[] = [];
    for (let place = 0; place < words.length; place += stride) {
      const used = words[place + 1] !== 0;
      if (used && (moments[(place >> 1) + 1] as number) > now) live.push(place);
    }
    const slots = this.#mask + 1;
    const enough = live.length * 8 < slots * 3;
    this.#allocate(enough ? slots : Math.min(slots * 2, this.#maxSlots));
    for (const from of live) {
      // Nothing in the new table is over: no number is at most NaN.
      const to = this.#place(words[from] as number, Number.NaN);
      this.words.set(words.subarray(from, from + stride), to);
    }
    this.#size = live.length;
  }

  #allocate(slots: number): void {
    const buffer = new ArrayBuffer(slots * this.#stride * 4);
    this.words = new Int32Array(buffer);
    this.moments = new Float64Array(buffer);
    this.#mask = slots - 1;
    this.#size = 0;
    this.#hand = 0;
  }
}
