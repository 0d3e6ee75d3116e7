import { repeatedPart } from "./common-passwords.ts";

/** Rows of keys that are typed as they lie, in both directions; a step to the neighbour is a step of a sequence. */
const ROWS = [
  "qwertyuiop",
  "qwertzuiop",
  "asdfghjkl",
  "zxcvbnm",
  "yxcvbnm",
  "azerty",
  "1234567890",
];
const NEIGHBOURS = new Set(
  ROWS.flatMap((row) =>
    Array.from(row.slice(1), (key, i) => [`${row[i]}${key}`, `${key}${row[i]}`]).flat(),
  ),
);

/** Characters of one step that make a sequence. */
const SEQUENCE = 4;

/**
 * isPredictable tells whether a password, whatever its length, has fewer characters to guess than `least`: it is one part
 * repeated, or made of few characters, or of sequences (`abcd`, `4321`, `qwer`, `aaaa`), each of which is one character.
 */
export function isPredictable(password: string, least: number): boolean {
  const folded = password.toLowerCase();
  const characters = Array.from(folded);
  if (characters.length >= 4 && new Set(characters).size < 4) return true;
  const part = repeatedPart(folded);
  if (part.length < folded.length && Array.from(part).length < least) return true;
  const guesses = charactersToGuess(characters);
  return guesses < characters.length && guesses < least / 2;
}

/**
 * isMadeOf tells whether a password is little more than these words: what is left without them has fewer characters to
 * guess than half of `least`. `left` is what remains, for further checks; undefined where no word is in it.
 */
export function isMadeOf(
  password: string,
  words: readonly string[],
  least: number,
): { readonly isMade: boolean; readonly left: string | undefined } {
  const longestFirst = [...words].sort((a, b) => b.length - a.length);
  let left = password.toLowerCase();
  const before = left;
  for (const word of longestFirst) left = left.replaceAll(word, " ");
  if (left === before) return { isMade: false, left: undefined };
  const rest = Array.from(left.replaceAll(/[\s\p{P}\p{S}]+/gu, " ").trim());
  return { isMade: charactersToGuess(rest) < least / 2, left: left.trim() };
}

/** The number of characters, each sequence of four or more counted as one. */
function charactersToGuess(characters: readonly string[]): number {
  let count = 0;
  let start = 0;
  while (start < characters.length) {
    const end = endOfRun(characters, start);
    const isSequence = end - start >= SEQUENCE;
    count += 1;
    start = isSequence ? end : start + 1;
  }
  return count;
}

/** Where the run of equal steps that begins here ends (exclusive). */
function endOfRun(characters: readonly string[], start: number): number {
  let end = start;
  for (const isStep of STEPS) {
    let at = start + 1;
    while (at < characters.length && isStep(characters[at - 1] ?? "", characters[at] ?? ""))
      at += 1;
    end = Math.max(end, at);
  }
  return end;
}

type Step = (from: string, to: string) => boolean;

const difference = (from: string, to: string): number =>
  (to.codePointAt(0) ?? 0) - (from.codePointAt(0) ?? 0);

const STEPS: readonly Step[] = [
  (from, to) => from === to,
  (from, to) => difference(from, to) === 1 || (from === "9" && to === "0"),
  (from, to) => difference(from, to) === -1 || (from === "0" && to === "9"),
  (from, to) => NEIGHBOURS.has(from + to),
];
