import { expect, test } from "vitest";
import { normalizeEmail } from "./email.ts";

test.each<[text: string, address: string]>([
  ["a@b.example", "a@b.example"],
  ["Alice@Example.COM", "alice@example.com"],
  ["first.last+tag@sub.example.co.uk", "first.last+tag@sub.example.co.uk"],
  ["o'brien@example.com", "o'brien@example.com"],
  ["!#$%&'*+/=?^_`{|}~-@example.com", "!#$%&'*+/=?^_`{|}~-@example.com"],
  ["a@B\u00fccher.example", "a@xn--bcher-kva.example"],
  ["a@bu\u0308cher.example", "a@xn--bcher-kva.example"],
  ["a@xn--bcher-kva.example", "a@xn--bcher-kva.example"],
  [`${"a".repeat(64)}@example.com`, `${"a".repeat(64)}@example.com`],
  // The Kelvin sign is k in one spelling: the mail goes to the address that is kept.
  ["\u212a@example.com", "k@example.com"],
])("%j is %s", (text, address) => {
  expect(normalizeEmail(text)).toBe(address);
  expect(normalizeEmail(address)).toBe(address);
});

// GHSA-5jpx, GHSA-7rqj: a validator and a mailer read one text as two addresses.
test.each([
  "",
  "a",
  "@",
  "a@",
  "@example.com",
  "a@b",
  "a@@example.com",
  "a@b@example.com",
  "a\uff20example.com",
  "a\uff20b@example.com",
  "a@b\uff20example.com",
  "\uff41@example.com",
  "a@\uff45xample.com",
  "a@example\uff0ecom",
  '"a"@example.com',
  '"a@b"@example.com',
  "a,b@example.com",
  "a@example.com,b@example.com",
  "a;b@example.com",
  "a b@example.com",
  " a@example.com",
  "a@example.com ",
  "a@example.com\n",
  "a@example.com\r\nBcc: b@example.com",
  "a\r\n@example.com",
  "a@exam\nple.com",
  "a\0@example.com",
  "a@example.com\0",
  "a(comment)@example.com",
  "a@(comment)example.com",
  "Alice <a@example.com>",
  "<a@example.com>",
  "a@[127.0.0.1]",
  "a@127.0.0.1",
  "a@\u2460\u2461\u2466.0.0.1",
  "a@localhost",
  "a@example.com.",
  "a@.example.com",
  "a@example..com",
  "a@-example.com",
  "a@example-.com",
  "a@example.com:25",
  "a@example.com/x",
  "a@example.com?x",
  "a@example.com#x",
  "a@user:pass@example.com",
  "a@ex%61mple.com",
  "a@ex_ample.com",
  ".a@example.com",
  "a.@example.com",
  "a..b@example.com",
  "\u00e9@example.com",
  "a\\@example.com",
  "mailto:a@example.com",
  `${"a".repeat(65)}@example.com`,
  `a@${"b".repeat(64)}.example`,
  `a@${"b.".repeat(130)}example`,
])("%j is refused", (text) => {
  const refusal = [{ field: "to", message: "Not an e-mail address.", code: "invalid_email" }];
  expect(() => normalizeEmail(text, "to")).toThrow(
    expect.objectContaining({ code: "VALIDATION_ERROR", details: refusal }),
  );
});
