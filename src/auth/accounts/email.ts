import { ValidationError } from "../../core/index.ts";

const LOCAL = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * normalizeEmail returns the one spelling of an address: composed (NFC), lower case, an international domain in its
 * ASCII form. What validators and mailers are known to read differently is refused: quotes, comments,
 * commas, a second @, a full-width one, line breaks, address literals.
 * Throws a ValidationError only if the text is not such an address of at most 254 characters.
 */
export function normalizeEmail(text: string, field = "email"): string {
  const lower = text.normalize("NFC").toLowerCase();
  const [local = "", domain = "", ...more] = lower.split("@");
  const ascii = asciiDomain(domain);
  const address = `${local}@${ascii}`;
  const labels = (ascii ?? "").split(".");
  const isAddress =
    more.length === 0 &&
    LOCAL.test(local) &&
    local.length <= 64 &&
    labels.length >= 2 &&
    labels.every((label) => LABEL.test(label)) &&
    !/^\d+$/.test(labels.at(-1) ?? "") &&
    address.length <= 254;
  if (isAddress) return address;
  throw new ValidationError([{ field, message: "Not an e-mail address.", code: "invalid_email" }]);
}

function asciiDomain(domain: string): string | undefined {
  if (/^[a-z0-9.-]+$/.test(domain)) return domain;
  if (/[\s/\\?#%:[\]<>^|@,;"'()\uFF00-\uFFEF]/.test(domain)) return undefined;
  try {
    return new URL(`http://${domain}/`).hostname;
  } catch {
    return undefined;
  }
}
