import type { ZxcvbnFactory } from "@zxcvbn-ts/core";

/** What a strength meter shows. */
export interface PasswordStrength {
  /** 0 (guessed at once) to 4 (very strong). */
  readonly score: number;
  /** What is weak about it, a sentence; null where nothing is. */
  readonly warning: string | null;
  /** How to make it better, sentences. */
  readonly suggestions: readonly string[];
  /** Seconds until it is guessed by one who has its hash, made by a slow algorithm, at 10,000 guesses a second. */
  readonly crackSeconds: number;
}

/** Code points that are taken of a password; of these the first 100 are looked at, which bounds the time. */
const MAX_INPUT = 256;
const ANALYSED = 100;
const MAX_WORDS = 20;

let meter: Promise<ZxcvbnFactory> | undefined;

/**
 * passwordStrength estimates how long a password withstands guessing, for a meter beside its field (zxcvbn). It advises and
 * decides nothing: the policy does. Context words (name, e-mail, product) count as known to the attacker; 20 are read.
 * What it needs, some 50,000 words, is loaded at the first use. A call takes up to some hundred milliseconds of this thread:
 * limit it by rate where strangers reach it.
 */
export async function passwordStrength(
  password: string,
  contextWords: readonly string[] = [],
): Promise<PasswordStrength> {
  const text = Array.from(password.slice(0, MAX_INPUT * 2))
    .slice(0, MAX_INPUT)
    .join("");
  const words = contextWords.slice(0, MAX_WORDS).map((word) => word.slice(0, 100));
  const { score, feedback, crackTimes } = (await loadMeter()).check(text, words);
  return {
    score,
    warning: feedback.warning === null ? null : sentence(feedback.warning),
    suggestions: feedback.suggestions.map(sentence),
    crackSeconds: crackTimes.offlineSlowHashingXPerSecond.seconds,
  };
}

async function loadMeter(): Promise<ZxcvbnFactory> {
  meter ??= makeMeter();
  try {
    return await meter;
  } catch (error) {
    meter = undefined;
    throw error;
  }
}

async function makeMeter(): Promise<ZxcvbnFactory> {
  const [{ ZxcvbnFactory }, { adjacencyGraphs, dictionary }] = await Promise.all([
    import("@zxcvbn-ts/core"),
    import("@zxcvbn-ts/language-common"),
  ]);
  return new ZxcvbnFactory({ dictionary, graphs: adjacencyGraphs, maxLength: ANALYSED });
}

/** The sentence of a key that the library reports; the key itself where it has a new one. */
const sentence = (key: string): string => SENTENCES.get(key) ?? key;

const SENTENCES: ReadonlyMap<string, string> = new Map([
  ["straightRow", "A row of keys is guessed early."],
  ["keyPattern", "A short pattern of keys is guessed early."],
  ["simpleRepeat", "One character repeated is guessed early."],
  ["extendedRepeat", "A part that repeats is hardly harder to guess than the part."],
  ["sequences", "A sequence such as abc or 6543 is guessed early."],
  ["recentYears", "Years of our time are guessed early."],
  ["topTen", "This is one of the ten passwords used most."],
  ["topHundred", "This is one of the hundred passwords used most."],
  ["common", "This is a password that many use."],
  ["similarToCommon", "This is close to a password that many use."],
  ["wordByItself", "A single word is guessed early."],
  ["namesByThemselves", "A name by itself is guessed early."],
  ["commonNames", "Common names are guessed early."],
  ["userInputs", "It should not hold what is known of you or of this site."],
  ["pwned", "It was found among leaked passwords."],
  ["l33t", "Signs in place of letters, such as @ for a, help little."],
  ["reverseWords", "A word spelled backwards is hardly harder to guess."],
  ["allUppercase", "Some capitals help more than all capitals."],
  ["capitalization", "A capital elsewhere than at the beginning helps more."],
  ["dates", "Dates and years that have to do with you are guessed early."],
  ["associatedYears", "Leave out years that have to do with you."],
  ["repeated", "Leave out words and characters that repeat."],
  ["longerKeyboardPattern", "Change the direction more than once where you follow the keys."],
  ["anotherWord", "Add more words that are less common."],
  ["useWords", "Several words together are strong and easy to keep."],
  ["noNeed", "Signs, digits and capitals are not needed."],
]);
