import type { Page } from "../page.ts";
import { SETUP_STYLES } from "../setup-styles.ts";
import type { AuthFacts } from "./facts.ts";
import { FACTOR_CARD, field, NOSCRIPT, PASSWORD_HINT, PROBLEM } from "./fields.ts";
import { AUTH_STYLES } from "./styles.ts";

const password = field({
  id: "password",
  label: "New password",
  type: "password",
  autocomplete: "new-password",
  maxlength: 1024,
  hint: PASSWORD_HINT,
});

const NO_TOKEN = `<div class="card" id="no-token" hidden>
  <h1 tabindex="-1">Open the link from the mail</h1>
  <p>There is no token in this address. Open the link as it stands in the mail, with all that follows the <code>#</code>.</p>
</div>`;

/** The page behind a mailed link: the token stands behind the #, and only a press of the button sends it. */
const mailedPage = (page: {
  readonly kind: string;
  readonly title: string;
  readonly ask: string;
  readonly fields?: string;
  readonly button: string;
  readonly done: string;
  /** Where another link comes from. */
  readonly another: string;
  readonly more?: string;
  /** What stands where the address has no token. */
  readonly noToken?: string;
}): Page => ({
  title: page.title,
  script: "mailed.js",
  styles: SETUP_STYLES + AUTH_STYLES,
  body: `<main id="main" data-kind="${page.kind}">
${NOSCRIPT}
<div class="card" id="ask" hidden>
  <h1 tabindex="-1">${page.title}</h1>
  <p class="muted">${page.ask}</p>
  <form id="form" method="post" novalidate>
    ${PROBLEM}
    ${page.fields ?? ""}
    <button type="submit" class="primary">${page.button}</button>
  </form>
</div>
<div class="card" id="done" hidden>
  <h1 tabindex="-1">Done</h1>
  <p class="notice good">${page.done}</p>
  <p><a href="/auth/login">Sign in</a></p>
</div>
${page.noToken ?? NO_TOKEN}
<div class="card" id="spent" hidden>
  <h1 tabindex="-1">This link does not work any more</h1>
  <p class="notice bad">It was used, is too old, or a newer one was mailed. Nothing was changed.</p>
  <p>${page.another}</p>
</div>
${page.more ?? ""}
</main>`,
});

/** Asks for the link of a page that was opened without one. */
const askForLink = (ask: {
  readonly title: string;
  readonly text: string;
  readonly button: string;
  readonly foot: string;
}): string => `<div class="card" id="no-token" hidden>
  <h1 tabindex="-1">${ask.title}</h1>
  <p class="muted">${ask.text}</p>
  <form id="request-form" method="post" novalidate>
    ${PROBLEM}
    ${field({ id: "email", label: "E-mail", type: "email", autocomplete: "username", maxlength: 320 })}
    <button type="submit" class="primary">${ask.button}</button>
  </form>
  <p class="small">${ask.foot}</p>
</div>`;

const mailed = (text: string): string => `<div class="card" id="mailed" hidden>
  <h1 tabindex="-1">Read your mail</h1>
  <p>${text}</p>
</div>`;

const SIGN_IN = '<a href="/auth/login">Sign in</a>';

export const verifyPage = ({ verification }: AuthFacts): Page =>
  mailedPage({
    kind: "verify",
    title: "Confirm your address",
    ask: "One press, and your account is ready.",
    button: "Confirm",
    done: "Your address is confirmed.",
    another: verification
      ? `${SIGN_IN}, or have <a href="/auth/verify">another link mailed</a>.`
      : SIGN_IN,
    more: `<div class="card" id="password" hidden>
  <h1 tabindex="-1">Your address is confirmed</h1>
  <p>You opened the link in another browser than the one that made the account, so the password that was chosen there does not count.</p>
  <p><a href="/auth/forgot">Set a new password</a></p>
</div>
${mailed("If an account waits for this address to be confirmed, a link is on its way to it. Only the newest link works.")}`,
    ...(verification && { noToken: RESEND }),
  });

const RESEND = askForLink({
  title: "Open the link from the mail",
  text: "If its mail did not come, or is too old, have it mailed again.",
  button: "Mail the link again",
  foot: 'Is the address confirmed already? <a href="/auth/login">Sign in</a>.',
});

export const EMAIL_PAGE = mailedPage({
  kind: "email",
  title: "Confirm the new address",
  ask: "The address changes when both mailboxes have confirmed it.",
  button: "Confirm",
  done: "Your address is changed. All sessions have ended.",
  another: `${SIGN_IN}, and ask for the change again.`,
  more: `<div class="card" id="half" hidden>
  <h1 tabindex="-1">Half done</h1>
  <p class="notice">This mailbox has confirmed. Now open the link in the other one.</p>
</div>`,
});

export const RESET_PAGE = mailedPage({
  kind: "reset",
  title: "Set a new password",
  ask: "All your sessions end; second factors stay.",
  fields: password,
  button: "Set the password",
  done: "The password is set.",
  another: `${SIGN_IN}, or ask for <a href="/auth/forgot">a new link</a>.`,
});

export const INVITE_PAGE = mailedPage({
  kind: "invite",
  title: "Accept the invitation",
  ask: "Choose the name that others see, and a password.",
  fields: `${field({ id: "name", label: "Name", type: "text", autocomplete: "name", maxlength: 400 })}
    ${password}`,
  button: "Accept",
  done: "Your account is ready.",
  another: `${SIGN_IN}, or ask whoever invited you.`,
});

export const MAGIC_LINK_PAGE = mailedPage({
  kind: "magic-link",
  title: "Sign in by mail",
  ask: "The link works in the browser that asked for it.",
  button: "Sign in",
  done: "You are signed in.",
  another: `<a href="/auth/magic-link">Ask for another link</a>, or <a href="/auth/login">sign in with a password</a>.`,
  more: `${FACTOR_CARD}
${mailed("If the address has an account, a link is on its way to it. Open it in this browser within ten minutes.")}`,
  noToken: askForLink({
    title: "Sign in by mail",
    text: "If the address has an account, it gets a link that works once, in this browser.",
    button: "Mail the link",
    foot: '<a href="/auth/login">Sign in with a password</a>',
  }),
});
