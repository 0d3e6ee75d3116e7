/** ByteSource reads a stream piece by piece, and never holds more of it than one piece and what was asked for. */
export class ByteSource {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #held: Uint8Array = new Uint8Array();
  #isOver = false;

  constructor(body: ReadableStream<Uint8Array> | null) {
    this.#reader = body?.getReader();
    this.#isOver = body === null;
  }

  /** take returns the next `count` bytes, or fewer where the stream ends before. */
  async take(count: number): Promise<Uint8Array> {
    while (this.#held.byteLength < count && (await this.#more()));
    return this.#split(Math.min(count, this.#held.byteLength));
  }

  /**
   * takeUntil returns the bytes before a mark, and takes the mark itself; undefined where it does not stand within the next `limit` bytes.
   */
  async takeUntil(mark: Uint8Array, limit: number): Promise<Uint8Array | undefined> {
    let searched = 0;
    for (;;) {
      const at = indexOf(this.#held, mark, searched);
      if (at !== -1) {
        if (at > limit) return undefined;
        const found = this.#split(at);
        this.#split(mark.byteLength);
        return found;
      }
      searched = Math.max(0, this.#held.byteLength - mark.byteLength + 1);
      if (searched > limit || !(await this.#more())) return undefined;
    }
  }

  /** pieces yields all before a mark, as it comes, and takes the mark itself. Its last value is whether the mark was there. */
  async *pieces(mark: Uint8Array): AsyncGenerator<Uint8Array, boolean, undefined> {
    for (;;) {
      const at = indexOf(this.#held, mark, 0);
      if (at !== -1) {
        if (at > 0) yield this.#split(at);
        this.#split(mark.byteLength);
        return true;
      }
      // The end may be the beginning of the mark.
      const sure = this.#held.byteLength - mark.byteLength + 1;
      if (sure > 0) yield this.#split(sure);
      if (!(await this.#more())) return false;
    }
  }

  /** cancel lets the stream go. */
  cancel(): void {
    this.#reader?.cancel().catch(() => {});
  }

  #split(at: number): Uint8Array {
    const first = this.#held.subarray(0, at);
    this.#held = this.#held.subarray(at);
    return first;
  }

  async #more(): Promise<boolean> {
    if (this.#isOver || this.#reader === undefined) return false;
    const { done, value } = await this.#reader.read();
    if (done) {
      this.#isOver = true;
      return false;
    }
    if (this.#held.byteLength === 0) this.#held = value;
    else {
      const both = new Uint8Array(this.#held.byteLength + value.byteLength);
      both.set(this.#held);
      both.set(value, this.#held.byteLength);
      this.#held = both;
    }
    return true;
  }
}

/** The first byte of a mark stands in it once, so that a search never goes back: it takes as long as the bytes are many. */
function indexOf(bytes: Uint8Array, mark: Uint8Array, from: number): number {
  const [first = 0] = mark;
  for (let at = bytes.indexOf(first, from); at !== -1; at = bytes.indexOf(first, at + 1)) {
    if (at + mark.byteLength > bytes.byteLength) return -1;
    let matched = 1;
    while (matched < mark.byteLength && bytes[at + matched] === mark[matched]) matched += 1;
    if (matched === mark.byteLength) return at;
  }
  return -1;
}
