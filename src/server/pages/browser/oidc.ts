/** Why a provider brought nobody in, by the codes that a callback sends. */
const REFUSALS: ReadonlyMap<string, string> = new Map([
  ["over", "This sign-in is not known here, or took too long. Begin again."],
  ["not-proved", "What the provider says opens no account here."],
  ["session-ended", "Your session ended meanwhile. Sign in and begin again."],
  [
    "refused",
    "It was cancelled or refused at the provider, or the provider has not verified your address.",
  ],
  [
    "taken",
    "The address has an account here, or the identity is linked already. Sign in as you used to, and link the provider there.",
  ],
  ["unavailable", "The provider does not answer as it should. Try again later."],
]);

/** oidcRefusal says why a sign-in at a provider did not work. A code that has no words here is told of as well, but not shown. */
export const oidcRefusal = (code: string | null): string | undefined =>
  code === null ? undefined : (REFUSALS.get(code) ?? "The sign-in at the provider did not work.");
