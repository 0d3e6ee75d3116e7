/** What is known of an account and of the application that it belongs to. */
export interface ContextSources {
  readonly email?: string | undefined;
  readonly name?: string | undefined;
  readonly product?: string | undefined;
  readonly issuer?: string | undefined;
}

/** A part of a name counts from so many characters on: shorter ones are in too many honest passwords. */
const SHORTEST_PART = 4;

/**
 * contextWords returns, in lower case, the words that an attacker who knows the account tries first: the e-mail address, its
 * local part and domain with their parts, the name with its parts, the product's name, and the host of the application.
 */
export function contextWords(sources: ContextSources): string[] {
  const email = fold(sources.email);
  const [local = "", domain = ""] = email.split("@");
  const name = fold(sources.name);
  const product = fold(sources.product);
  const host = hostOf(sources.issuer);
  const whole = [email, local, domain, name, product, host, squeeze(name), squeeze(product)];
  const parts = [local, domain, name, product, host].flatMap((text) =>
    text.split(/[^\p{L}\p{N}]+/u),
  );
  return [...new Set([...whole, ...parts])].filter((word) => word.length >= SHORTEST_PART);
}

const fold = (text: string | undefined): string => (text ?? "").normalize("NFC").toLowerCase();

const squeeze = (text: string): string => text.replaceAll(/[^\p{L}\p{N}]+/gu, "");

const hostOf = (issuer: string | undefined): string =>
  issuer !== undefined && URL.canParse(issuer) ? new URL(issuer).hostname.toLowerCase() : "";
