let known: Promise<ReadonlySet<string>> | undefined;

/**
 * isCommonPassword tells whether a password is one that attackers try first: offline, by the 49,233 of
 * \@zxcvbn-ts/language-common, loaded at the first use. Compared case-folded; again without the digits and punctuation
 * around it; and, where it is one part repeated, by the part.
 */
export async function isCommonPassword(password: string): Promise<boolean> {
  const words = await commonPasswords();
  const folded = password.toLowerCase();
  const bare = withoutEdges(folded);
  const forms = [folded, bare, repeatedPart(folded), repeatedPart(bare)];
  const unit = withoutEdges(repeatedPart(folded));
  // Fewer letters than a word has are chance, not a word: "a" inside of fourteen random digits.
  return [...forms, unit].some((form) => form.length >= 4 && words.has(form));
}

/** repeatedPart returns the shortest text of which this one is a whole number of repetitions; itself where there is none. */
export function repeatedPart(text: string): string {
  if (text === "") return text;
  return text.slice(0, (text + text).indexOf(text, 1));
}

/** What is left without digits, punctuation and spaces at both ends. */
const withoutEdges = (text: string): string =>
  text.replace(/^[\d\p{P}\p{S}\s]+/u, "").replace(/[\d\p{P}\p{S}\s]+$/u, "");

async function commonPasswords(): Promise<ReadonlySet<string>> {
  known ??= import("@zxcvbn-ts/language-common").then(
    ({ dictionary }) => new Set(dictionary["passwords-common"]),
  );
  try {
    return await known;
  } catch (error) {
    // What failed once is tried again.
    known = undefined;
    throw error;
  }
}
