import type { Mail, MailNotice } from "../core/index.ts";
import { addressText, agentText, lineText, nameText, timeText } from "./safe-text.ts";
import { type Block, htmlOf, link, paragraph, textOf } from "./text-blocks.ts";

/** Where the mail comes from. */
export interface MailSite {
  /** Origin of the links, such as `https://api.example.com`. */
  readonly issuer: string;
  /** What people know the application as. */
  readonly productName: string;
}

/** Kinds that go to a mailbox whose owner did not choose the account's name: they greet nobody by it. */
const UNGREETED: ReadonlySet<MailNotice["kind"]> = new Set(["verify", "address-taken", "invite"]);

interface Content {
  readonly subject: string;
  readonly body: readonly Block[];
}

/**
 * composeMail writes the mail of a notice, as text and as simple HTML. Names and agents are people's own words: they stand in
 * no subject, and are cut down so that none of them can become a link.
 * Throws a TypeError only if a token is not letters, digits, dots, dashes and underscores.
 */
export function composeMail(notice: MailNotice, site: MailSite): Mail {
  const { subject, body } = contentOf(notice, site);
  const isGreeted = !UNGREETED.has(notice.kind) && !isOfNewAddress(notice);
  const name = isGreeted ? nameText(notice.name) : "";
  const blocks = [
    paragraph(name === "" ? "Hello," : `Hello ${name},`),
    ...body,
    paragraph(`${site.productName}, ${site.issuer}`),
  ];
  return {
    to: notice.to,
    subject: `${lineText(site.productName)}: ${subject}`,
    text: textOf(blocks),
    html: htmlOf(blocks),
  };
}

const isOfNewAddress = (notice: MailNotice): boolean =>
  notice.kind === "confirm-change" && notice.side === "new";

function contentOf(notice: MailNotice, site: MailSite): Content {
  switch (notice.kind) {
    case "verify":
    case "invite":
    case "address-taken":
      return arrivalOf(notice, site);
    case "reset":
    case "magic-link":
      return linkOf(notice, site);
    case "confirm-change":
      return addressChangeOf(notice, site);
    default:
      return warningOf(notice, site);
  }
}

type Kind<K extends MailNotice["kind"]> = Extract<MailNotice, { kind: K }>;

function arrivalOf(notice: Kind<"verify" | "invite" | "address-taken">, site: MailSite): Content {
  const { issuer, productName } = site;
  switch (notice.kind) {
    case "verify":
      return {
        subject: "confirm your address",
        body: [
          paragraph(
            `An account at ${productName} was made with this address. To confirm it, open:`,
          ),
          linkTo(issuer, "verify", notice.token),
          paragraph(`The link works once, until ${timeText(notice.expiresAt)}.`),
          paragraph("If it was not you, do nothing: without the link nobody can use that account."),
        ],
      };
    case "invite":
      return {
        subject: "you are invited",
        body: [
          paragraph(`You are invited to ${productName}. To choose a password and begin, open:`),
          linkTo(issuer, "invite", notice.token),
          paragraph(`The link works once, until ${timeText(notice.expiresAt)}.`),
          paragraph("If you did not expect this, do nothing: without the link there is no way in."),
        ],
      };
    case "address-taken":
      return {
        subject: "you have an account already",
        body: [
          paragraph(
            "Somebody tried to register with this address, which has an account already. Nothing was changed.",
          ),
          paragraph("If it was you, sign in, or set a new password if you do not know yours:"),
          link(`${issuer}/auth/forgot`),
          paragraph("If it was not you, there is nothing to do."),
        ],
      };
  }
}

function linkOf(notice: Kind<"reset" | "magic-link">, { issuer }: MailSite): Content {
  const until = paragraph(`The link works once, until ${timeText(notice.expiresAt)}.`);
  if (notice.kind === "reset") {
    return {
      subject: "set a new password",
      body: [
        paragraph("Somebody asked to set a new password for your account. To do it, open:"),
        linkTo(issuer, "reset", notice.token),
        until,
        paragraph(
          "If it was not you, do nothing: your password stays as it is. Give the link to nobody.",
        ),
      ],
    };
  }
  return {
    subject: "your link to sign in",
    body: [
      paragraph("To sign in, open this link in the browser that asked for it:"),
      linkTo(issuer, "magic-link", notice.token),
      until,
      paragraph(
        "If it was not you, do nothing: the link works in no other browser. Give it to nobody.",
      ),
    ],
  };
}

function addressChangeOf(notice: Kind<"confirm-change">, site: MailSite): Content {
  const { issuer, productName } = site;
  const until = timeText(notice.expiresAt);
  const both = paragraph(`The change needs a press in both mailboxes, until ${until}.`);
  const confirm = linkTo(issuer, "email", notice.token);
  if (notice.side === "new") {
    return {
      subject: "confirm your new address",
      body: [
        paragraph(`An account at ${productName} is to get this address. To confirm it, open:`),
        confirm,
        both,
        paragraph("If it was not you, do nothing: the account keeps its old address."),
      ],
    };
  }
  return {
    subject: "confirm the change of your address",
    body: [
      paragraph(
        `The address of your account is to become ${notice.newEmail}. To confirm it, open:`,
      ),
      confirm,
      both,
      paragraph(
        "If it was not you, do not open the link. Somebody is signed in to your account: set a new password, which ends all sessions:",
      ),
      link(`${issuer}/auth/forgot`),
    ],
  };
}

type Warning = Kind<
  | "locked"
  | "new-device"
  | "credential-changed"
  | "factors-reset"
  | "deletion-scheduled"
  | "key-leaked"
>;

function warningOf(notice: Warning, { issuer }: MailSite): Content {
  const forgot = link(`${issuer}/auth/forgot`);
  const account = link(`${issuer}/auth/account`);
  switch (notice.kind) {
    case "locked":
      return {
        subject: "sign-in with your password is locked for a time",
        body: [
          paragraph(
            `There were too many wrong passwords for your account, the last one at ${timeText(notice.at)}${addressText(notice.address)}. From devices that you have not used before, the password is refused for a time; devices that you know go on working.`,
          ),
          paragraph("If it was you, wait, or set a new password:"),
          forgot,
          paragraph(
            "If it was not you, somebody is guessing. A long password that you use nowhere else, and a second factor, keep them out.",
          ),
        ],
      };
    case "new-device":
      return {
        subject: "a sign-in from a new device",
        body: [
          paragraph(
            `Your account was signed in to at ${timeText(notice.at)} from a device that it has not seen before: ${agentText(notice.agent)}${addressText(notice.address)}.`,
          ),
          paragraph("If it was you, there is nothing to do."),
          paragraph("If it was not you, set a new password at once, which ends all sessions:"),
          forgot,
        ],
      };
    case "credential-changed":
      return {
        subject: changeOf(notice.what).subject,
        body: [
          paragraph(`${changeOf(notice.what).sentence} at ${timeText(notice.at)}.`),
          paragraph("If it was you, there is nothing to do."),
          paragraph(
            "If it was not you, set a new password at once, and look at what your account is signed in with:",
          ),
          forgot,
          account,
        ],
      };
    case "factors-reset":
      return {
        subject: "your second factors are being removed",
        body: [
          paragraph(
            `An administrator removes the second factors of your account; from ${timeText(notice.effectiveAt)} on it is signed in to without them, until you set up new ones.`,
          ),
          paragraph("If you asked for it, sign in after that and set them up again:"),
          account,
          paragraph(
            "If you did not ask for it, tell an administrator now, and set a new password:",
          ),
          forgot,
        ],
      };
    case "key-leaked":
      return {
        subject: "an API key was found in public and was revoked",
        body: [
          paragraph(
            `The API key called ${nameText(notice.keyName) || "without a name"} was found where everybody could read it. It was revoked at ${timeText(notice.at)} and opens nothing any more.`,
          ),
          paragraph(
            "Make a new one where it is needed, take the old one out of where it was published, and look at what was done with it.",
          ),
          account,
        ],
      };
    case "deletion-scheduled":
      return {
        subject: "your account will be deleted",
        body: [
          paragraph(
            `Your account and what belongs to it will be deleted on ${timeText(notice.deleteAt)}. Until then you can take that back by signing in:`,
          ),
          link(`${issuer}/auth/login`),
          paragraph("If it was not you, sign in and set a new password: that keeps the account."),
        ],
      };
  }
}

/** A change of what signs in, in words. One that has none here is still told. */
function changeOf(what: string): { readonly subject: string; readonly sentence: string } {
  const known = Object.hasOwn(CHANGES, what) ? CHANGES[what as keyof typeof CHANGES] : undefined;
  return {
    subject: known?.[0] ?? "the way you sign in was changed",
    sentence: known?.[1] ?? "The way you sign in was changed",
  };
}

const CHANGES = {
  password: ["your password was changed", "The password of your account was changed"],
  email: ["your address was changed", "The address of your account was changed"],
  "totp added": [
    "an authenticator app was added",
    "An authenticator app was added to your account",
  ],
  "totp removed": [
    "an authenticator app was removed",
    "The authenticator app of your account was removed",
  ],
  "recovery codes renewed": [
    "your recovery codes were renewed",
    "The recovery codes of your account were replaced by new ones",
  ],
  "passkey added": ["a passkey was added", "A passkey was added to your account"],
  "passkey removed": ["a passkey was removed", "A passkey of your account was removed"],
  "provider linked": [
    "another way to sign in was added",
    "Your account was linked to a sign-in provider",
  ],
  "provider unlinked": [
    "a way to sign in was removed",
    "The link of your account to a sign-in provider was removed",
  ],
} as const satisfies Readonly<Record<string, readonly [subject: string, sentence: string]>>;

const TOKEN = /^[A-Za-z0-9._-]{1,1024}$/;

/** Behind the #: what follows it is sent to no server, and stands in no log (RFC 3986 section 3.5). */
function linkTo(issuer: string, page: string, token: string): Block {
  if (!TOKEN.test(token)) throw new TypeError("token: expected base64url, came another text");
  return link(`${issuer}/auth/${page}#${token}`);
}
