import { describe, expect, test } from "vitest";
import type { CredentialChange, MailNotice } from "../core/index.ts";
import { checkMail, composeMail, type MailSite } from "./index.ts";

const site: MailSite = { issuer: "https://api.example.com", productName: "Example" };
const AT = Date.UTC(2027, 0, 2, 10, 30, 59);
const WHEN = "2027-01-02 10:30 UTC";
const TOKEN = "abcDEF-123_abcDEF-123_abcDEF-123_abcDEF-123";
const ADA = { to: "ada@example.com", name: "Ada" };
const linked = { ...ADA, token: TOKEN, expiresAt: AT };
const AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

type Row = readonly [
  notice: MailNotice,
  subject: string,
  /** What it must say; a link is one that must stand on a line of its own. */
  says: readonly string[],
];

const page = (name: string): string => `${site.issuer}/auth/${name}`;
const changed = (what: string): MailNotice => ({
  ...ADA,
  kind: "credential-changed",
  what: what as CredentialChange,
  at: AT,
});

const NOTICES: readonly Row[] = [
  [
    { ...ADA, kind: "key-leaked", keyName: "nightly https://evil.example", at: AT },
    "an API key was found in public and was revoked",
    [page("account"), WHEN, "called nightly https evil example was found"],
  ],
  [
    { ...linked, kind: "verify" },
    "confirm your address",
    [`${page("verify")}#${TOKEN}`, WHEN, "If it was not you, do nothing"],
  ],
  [
    { ...linked, kind: "invite" },
    "you are invited",
    [`${page("invite")}#${TOKEN}`, WHEN, "If you did not expect this, do nothing"],
  ],
  [
    { ...ADA, kind: "address-taken" },
    "you have an account already",
    [page("forgot"), "If it was not you, there is nothing to do."],
  ],
  [
    { ...linked, kind: "reset" },
    "set a new password",
    [`${page("reset")}#${TOKEN}`, WHEN, "If it was not you, do nothing"],
  ],
  [
    { ...linked, kind: "magic-link" },
    "your link to sign in",
    [`${page("magic-link")}#${TOKEN}`, WHEN, "in the browser that asked for it"],
  ],
  [
    { ...linked, kind: "confirm-change", side: "new", newEmail: "new@example.com" },
    "confirm your new address",
    [`${page("email")}#${TOKEN}`, WHEN, "both mailboxes", "If it was not you, do nothing"],
  ],
  [
    { ...linked, kind: "confirm-change", side: "old", newEmail: "new@example.com" },
    "confirm the change of your address",
    [`${page("email")}#${TOKEN}`, WHEN, "new@example.com", "do not open the link", page("forgot")],
  ],
  [
    { ...ADA, kind: "locked", at: AT, address: "203.0.113.7" },
    "sign-in with your password is locked for a time",
    [WHEN, "from 203.0.113.7", page("forgot"), "If it was not you"],
  ],
  [
    { ...ADA, kind: "new-device", at: AT, address: "2001:db8::1", agent: AGENT },
    "a sign-in from a new device",
    [WHEN, "Firefox on Linux, from 2001:db8::1", page("forgot"), "If it was not you"],
  ],
  [changed("password"), "your password was changed", [WHEN, page("forgot"), page("account")]],
  [changed("email"), "your address was changed", [WHEN, page("forgot")]],
  [changed("totp added"), "an authenticator app was added", [WHEN, page("account")]],
  [changed("totp removed"), "an authenticator app was removed", [WHEN, page("account")]],
  [changed("recovery codes renewed"), "your recovery codes were renewed", [WHEN]],
  [changed("passkey added"), "a passkey was added", [WHEN, page("account")]],
  [changed("passkey removed"), "a passkey was removed", [WHEN, page("account")]],
  [changed("provider linked"), "another way to sign in was added", [WHEN]],
  [changed("provider unlinked"), "a way to sign in was removed", [WHEN]],
  [changed("constructor"), "the way you sign in was changed", [WHEN, page("account")]],
  [
    { ...ADA, kind: "factors-reset", effectiveAt: AT },
    "your second factors are being removed",
    [WHEN, page("account"), page("forgot"), "If you did not ask for it"],
  ],
  [
    { ...ADA, kind: "deletion-scheduled", deleteAt: AT },
    "your account will be deleted",
    [WHEN, page("login"), "If it was not you"],
  ],
];

describe.each(NOTICES)("$0.kind: $1", (notice, subject, says) => {
  const mail = composeMail(notice, site);

  test("says what happened, until when, and what to do if it was not you", () => {
    expect(mail.to).toBe("ada@example.com");
    expect(mail.subject).toBe(`Example: ${subject}`);
    for (const text of says) {
      if (text.startsWith("https:")) expect(mail.text.split("\n")).toContain(text);
      else expect(mail.text).toContain(text);
    }
    expect(checkMail(mail)).toBe(mail);
  });

  test("leads to the issuer alone, the token behind the #, the same in HTML", () => {
    const links = mail.text.match(/https?:\/\/[^\s<>"]+/g) ?? [];
    for (const link of links) expect(new URL(link).origin).toBe(site.issuer);
    for (const link of links) expect(new URL(link).href.split("#")[0]).not.toContain(TOKEN);
    const anchors = [...(mail.html ?? "").matchAll(/href="([^"]*)"/g)].map(([, href]) => href);
    expect(anchors).toEqual(mail.text.split("\n").filter((line) => line.startsWith("https:")));
    expect(mail.html).not.toMatch(/<(?!\/?(p|a|html|body|!doctype)\b)|src=|style=/i);
  });
});

/** What a person may call themselves, and what is left of it. */
test.each([
  ["Ada", "Hello Ada,"],
  ["Anne-Marie O'Brien", "Hello Anne-Marie O'Brien,"],
  ["Gr\u00fc\u00df\u00e9 \u674e", "Hello Gr\u00fc\u00df\u00e9 \u674e,"],
  ["Win at http://evil.example/now", "Hello Win at http evil example now,"],
  ["www.evil.example", "Hello www evil example,"],
  ["evil\uff0eexample", "Hello evil example,"],
  ["evil\u3002example", "Hello evil example,"],
  ["e\u200bvil\u2024example", "Hello evil example,"],
  ["eve@evil.example", "Hello eve evil example,"],
  ["Ada\r\nBcc: eve@evil.example", "Hello Ada Bcc eve evil example,"],
  ["\u202eadA", "Hello adA,"],
  ["<b>Ada</b>", "Hello b Ada b,"],
  ["a".repeat(100), `Hello ${"a".repeat(60)},`],
  ["\u{10400}".repeat(100), `Hello ${"\u{10400}".repeat(60)},`],
  ["...", "Hello,"],
  ["", "Hello,"],
])("a name: %j", (name, greeting) => {
  const { text, html, subject } = composeMail({ ...linked, kind: "reset", name }, site);
  expect(text.split("\n")[0]).toBe(greeting);
  expect(html).toContain(`<p>${greeting.replaceAll("'", "&#39;")}</p>`);
  expect(subject).toBe("Example: set a new password");
});

// Whoever registers chooses the name: it must not speak to somebody else's mailbox.
test.each<MailNotice>([
  { ...linked, kind: "verify" },
  { ...linked, kind: "invite" },
  { ...ADA, kind: "address-taken" },
  { ...linked, kind: "confirm-change", side: "new", newEmail: "ada@example.com" },
])("$kind greets nobody by name", (notice) => {
  const { text, html } = composeMail({ ...notice, name: "Call now" }, site);
  expect(`${text}${html}`).not.toContain("Call");
});

test.each([
  [undefined, "an unknown program"],
  ["", "an unknown program"],
  ["Visit http://evil.example", "an unknown program"],
  ["<script>Firefox</script>", "Firefox"],
  [AGENT, "Firefox on Linux"],
  ["Mozilla/5.0 (Windows NT 10.0) Chrome/140 Safari/537 Edg/140", "Edge on Windows"],
  ["Mozilla/5.0 (Linux; Android 16) Chrome/140 Mobile Safari/537", "Chrome on Android"],
  ["Mozilla/5.0 (iPhone; CPU iPhone OS 19 like Mac OS X) Safari/604", "Safari on iPhone"],
  ["Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) Safari/604", "Safari on macOS"],
  ["curl/8.0", "curl"],
])("an agent: %j", (agent, shown) => {
  const notice: MailNotice = { ...ADA, kind: "new-device", at: AT, address: "x y", agent };
  expect(composeMail(notice, site).text).toContain(`not seen before: ${shown}.`);
});

test.each(["", "a b", "a#b", "a\nb", "a/b", '"', "a".repeat(1_025)])("%j is no token", (token) => {
  const compose = (): unknown => composeMail({ ...linked, kind: "reset", token }, site);
  expect(compose).toThrow(new TypeError("token: expected base64url, came another text"));
});

test.each([
  ["Example & Sons", "Example & Sons: set a new password", "<p>Example &amp; Sons, https"],
  ["Ex\r\nBcc: eve", "Ex Bcc: eve: set a new password", "<p>Ex"],
  ["x".repeat(100), `${"x".repeat(60)}: set a new password`, "<p>xxx"],
])("a product name: %j", (productName, subject, html) => {
  const mail = composeMail({ ...linked, kind: "reset" }, { ...site, productName });
  expect(mail.subject).toBe(subject);
  expect(mail.html).toContain(html);
});
