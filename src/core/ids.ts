const pool = new Uint8Array(16 * 64);
let used = pool.length;

/** uuidv7 makes a time-ordered identifier (RFC 9562 section 5.7) with 74 random bits. `now` is milliseconds since the epoch. */
export function uuidv7(now: number): string {
  if (used === pool.length) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  const bytes = pool.subarray(used, used + 16);
  used += 16;
  const time = Math.floor(now).toString(16).padStart(12, "0");
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  let tail = "";
  for (let i = 6; i < 16; i += 1) tail += (bytes[i] ?? 0).toString(16).padStart(2, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-${tail.slice(0, 4)}-${tail.slice(4, 8)}-${tail.slice(8)}`;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** isUuid tells a lower-case UUID, so that a malformed id is "not found" without asking the database. */
export const isUuid = (text: string): boolean => UUID.test(text);

const PAGE = 64;
const UUID_LENGTH = 36;
const random = new Uint8Array(16 * PAGE);
const letters = new Uint8Array(UUID_LENGTH * PAGE);
const latin1 = new TextDecoder("latin1");
let page = "";
let next = 0;

/**
 * randomId makes a random UUID (version 4, RFC 9562 section 5.4). Each is a piece of one flat text: the platform's own is joined of
 * twenty pieces, which costs four times as much where it is written.
 */
function randomId(): string {
  if (next === page.length) {
    page = latin1.decode(newPage());
    next = 0;
  }
  const id = page.slice(next, next + UUID_LENGTH);
  next += UUID_LENGTH;
  return id;
}

const DIGITS = new TextEncoder().encode("0123456789abcdef");

function newPage(): Uint8Array {
  crypto.getRandomValues(random);
  let at = 0;
  for (let start = 0; start < random.length; start += 16) {
    random[start + 6] = ((random[start + 6] as number) & 0x0f) | 0x40;
    random[start + 8] = ((random[start + 8] as number) & 0x3f) | 0x80;
    for (let index = 0; index < 16; index += 1) {
      const byte = random[start + index] as number;
      letters[at] = DIGITS[byte >> 4] as number;
      letters[at + 1] = DIGITS[byte & 15] as number;
      at += 2;
      if (index === 3 || index === 5 || index === 7 || index === 9) {
        letters[at] = 0x2d;
        at += 1;
      }
    }
  }
  return letters;
}

const SAFE_REQUEST_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{7,63}$/;

/**
 * requestIdOf takes the client's `x-request-id` where it is 8 to 64 letters, digits, dots, dashes or underscores,
 * which no log or header can misread, and makes a random UUID otherwise.
 */
export function requestIdOf(given: string | null): string {
  return given !== null && SAFE_REQUEST_ID.test(given) ? given : randomId();
}
