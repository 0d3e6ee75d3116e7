import type { Page } from "../page.ts";
import { SETUP_STYLES } from "../setup-styles.ts";
import type { AuthFacts } from "./facts.ts";
import { FACTOR_CARD, field, NOSCRIPT, PASSWORD_HINT, PROBLEM, passkeyForm } from "./fields.ts";
import { AUTH_STYLES } from "./styles.ts";

const styles = SETUP_STYLES + AUTH_STYLES;
const email = field({
  id: "email",
  label: "E-mail",
  type: "email",
  autocomplete: "username",
  maxlength: 320,
});

export const loginPage = ({ magicLink, verification }: AuthFacts): Page => ({
  title: "Sign in",
  script: "login.js",
  styles,
  body: `<main>
${NOSCRIPT}
<div class="card" id="ask" hidden>
  <h1 tabindex="-1">Sign in</h1>
  <form id="form" method="post" novalidate>
    ${PROBLEM}
    ${email}
    ${field({ id: "password", label: "Password", type: "password", autocomplete: "current-password", maxlength: 1024 })}
    <button type="submit" class="primary">Sign in</button>
  </form>
  ${passkeyForm("passkey", "Sign in with a passkey")}
${magicLink ? MAGIC_LINK : ""}  <p class="small"><a href="/auth/forgot">Forgot your password?</a> No account yet? <a href="/auth/register">Make one</a>.</p>
${verification ? RESEND : ""}</div>
${FACTOR_CARD}
</main>`,
});

const MAGIC_LINK = `  <p><a href="/auth/magic-link">Sign in by mail</a>, without a password.</p>
`;

/** Who has not proved the mailbox is refused like everybody else, and is told nothing of it there. */
const RESEND = `  <p class="small">Made an account, and its mail did not come? <a href="/auth/verify">Mail it again</a>.</p>
`;

export const REGISTER_PAGE: Page = {
  title: "Make an account",
  script: "register.js",
  styles,
  body: `<main>
${NOSCRIPT}
<div class="card" id="ask" hidden>
  <h1 tabindex="-1">Make an account</h1>
  <form id="form" method="post" novalidate>
    ${PROBLEM}
    ${email}
    ${field({ id: "name", label: "Name", type: "text", autocomplete: "name", maxlength: 400 })}
    ${field({ id: "password", label: "Password", type: "password", autocomplete: "new-password", maxlength: 1024, hint: PASSWORD_HINT })}
    <button type="submit" class="primary">Make the account</button>
  </form>
  <p class="small">You have one? <a href="/auth/login">Sign in</a>.</p>
</div>
<div class="card" id="made" hidden>
  <h1 tabindex="-1">Your account is made</h1>
  <p class="notice good"><span class="address"></span> can sign in now.</p>
  <p><a href="/auth/login">Sign in</a></p>
</div>
<div class="card" id="mailed" hidden>
  <h1 tabindex="-1">Read your mail</h1>
  <p>A mail is on its way to <strong class="address"></strong>. Open its link in this browser to go on.</p>
  <p class="muted small">No mail after some minutes? Look where unwanted mail goes, or <a href="/auth/verify">have it mailed again</a>.</p>
</div>
</main>`,
};

export const FORGOT_PAGE: Page = {
  title: "Set a new password",
  script: "forgot.js",
  styles,
  body: `<main>
${NOSCRIPT}
<div class="card" id="ask" hidden>
  <h1 tabindex="-1">Set a new password</h1>
  <p class="muted">If the address has an account, it gets a link that is good for ten minutes.</p>
  <form id="form" method="post" novalidate>
    ${PROBLEM}
    ${email}
    <button type="submit" class="primary">Mail the link</button>
  </form>
  <p class="small"><a href="/auth/login">Sign in</a></p>
</div>
<div class="card" id="mailed" hidden>
  <h1 tabindex="-1">Read your mail</h1>
  <p>If the address has an account, a link is on its way to it.</p>
</div>
</main>`,
};
