import type { Page } from "../page.ts";
import { SETUP_STYLES } from "../setup-styles.ts";
import type { AuthFacts } from "./facts.ts";
import { field, NOSCRIPT, PASSWORD_HINT, PROBLEM, passkeyForm } from "./fields.ts";
import { AUTH_STYLES } from "./styles.ts";

export const accountPage = ({ deletionGrace }: AuthFacts): Page => ({
  title: "Your account",
  script: "account.js",
  styles: SETUP_STYLES + AUTH_STYLES,
  body: `<main class="wide">
${NOSCRIPT}
<p id="status" role="status" tabindex="-1" hidden></p>
<div id="account" hidden>
<header class="top">
  <div><h1>Your account</h1><p class="muted" id="who"></p></div>
  <button type="button" id="sign-out">Sign out</button>
</header>
<section class="card" id="new-codes" hidden>
  <h2 tabindex="-1">Your recovery codes</h2>
  <p>Write them down or print them. They are shown this once, and each works once.</p>
  <ul class="codes" id="codes"></ul>
</section>
<section class="card" aria-labelledby="sessions-title">
  <h2 id="sessions-title">Where you are signed in</h2>
  <ul class="rows" id="sessions"></ul>
  <button type="button" id="end-others" hidden>End all other sessions</button>
</section>
<section class="card" aria-labelledby="totp-title">
  <h2 id="totp-title">Authenticator app</h2>
  <div id="totp-none">
    <p>No app is set up. With one, a password alone does not open your account.</p>
    <button type="button" id="enroll">Set up an app</button>
  </div>
  <form id="totp-confirm" method="post" novalidate hidden>
    <p>Scan this with the app, or type the key; then enter the code that it shows.</p>
    <img id="qr" alt="QR code with the key below" width="200" height="200">
    <p class="small">Key: <code id="secret"></code></p>
    ${PROBLEM}
    ${field({ id: "totp-code", name: "code", label: "Code", type: "text", autocomplete: "one-time-code", maxlength: 16, numeric: true })}
    <button type="submit" class="primary">Take the app into use</button>
  </form>
  <div id="totp-set" hidden>
    <p>An app is set up.</p>
    <button type="button" id="totp-remove">Remove the app</button>
  </div>
</section>
<section class="card" aria-labelledby="passkeys-title">
  <h2 id="passkeys-title">Passkeys</h2>
  <p id="no-passkeys">There is none yet. A passkey signs in without a password, and no other site can ask for it.</p>
  <ul class="rows" id="passkeys"></ul>
  <form id="passkey-form" method="post" novalidate>
    ${PROBLEM}
    ${field({ id: "passkey-name", name: "name", label: "Name of the new passkey", type: "text", autocomplete: "off", maxlength: 100 })}
    <button type="submit">Add a passkey</button>
  </form>
</section>
<section class="card" id="recovery" aria-labelledby="recovery-title" hidden>
  <h2 id="recovery-title">Recovery codes</h2>
  <p id="codes-left"></p>
  <button type="button" id="renew-codes">Make new codes</button>
</section>
<section class="card" aria-labelledby="password-title">
  <h2 id="password-title">Password</h2>
  <form id="password-form" method="post" novalidate>
    ${PROBLEM}
    ${field({ id: "currentPassword", label: "Current password", type: "password", autocomplete: "current-password", maxlength: 1024 })}
    ${field({ id: "newPassword", label: "New password", type: "password", autocomplete: "new-password", maxlength: 1024, hint: PASSWORD_HINT })}
    <button type="submit">Change the password</button>
  </form>
</section>
<section class="card" aria-labelledby="email-title">
  <h2 id="email-title">E-mail address</h2>
  <p>It changes when both mailboxes, the old and the new one, have confirmed it.</p>
  <form id="email-form" method="post" novalidate>
    ${PROBLEM}
    ${field({ id: "email", label: "New address", type: "email", autocomplete: "email", maxlength: 320 })}
    <button type="submit">Change the address</button>
  </form>
</section>
<section class="card" aria-labelledby="data-title">
  <h2 id="data-title">Your data</h2>
  <p>What is stored of you, as a file of JSON. Nothing in it signs anybody in.</p>
  <button type="button" id="export">Download your data</button>
</section>
<section class="card" aria-labelledby="delete-title">
  <h2 id="delete-title">Delete the account</h2>
  <p>You are signed out everywhere at once, and after ${deletionGrace} the account is deleted. Signing in before that takes it back.</p>
  <button type="button" class="danger" id="delete">Delete the account</button>
</section>
</div>
<div class="card" id="deleted" hidden>
  <h1 tabindex="-1">Your account will be deleted</h1>
  <p class="notice" id="deleted-when"></p>
  <p>To keep the account, <a href="/auth/login">sign in</a> before that.</p>
</div>
<dialog id="delete-ask" aria-labelledby="delete-ask-title">
  <h2 id="delete-ask-title">Delete your account?</h2>
  <p>You are signed out everywhere at once, and after ${deletionGrace} the account is deleted with all that belongs to it.</p>
  <div class="choices">
    <button type="button" id="delete-cancel" autofocus>Keep the account</button>
    <button type="button" class="danger" id="delete-go">Delete the account</button>
  </div>
</dialog>
<dialog id="rename" aria-labelledby="rename-title">
  <h2 id="rename-title">Rename the passkey</h2>
  <form id="rename-form" method="post" novalidate>
    ${PROBLEM}
    ${field({ id: "rename-name", name: "name", label: "New name", type: "text", autocomplete: "off", maxlength: 100 })}
    <button type="submit" class="primary">Rename</button>
  </form>
  <button type="button" class="wide" id="rename-cancel">Cancel</button>
</dialog>
<dialog id="step-up" aria-labelledby="step-up-title">
  <h2 id="step-up-title">Prove that it is you</h2>
  <p class="muted small">Your last proof is older than ten minutes, and this is done for nobody but you.</p>
  <form id="step-up-password-form" method="post" novalidate>
    ${PROBLEM}
    ${field({ id: "step-up-password", name: "password", label: "Password", type: "password", autocomplete: "current-password", maxlength: 1024 })}
    <button type="submit" class="primary">Go on</button>
  </form>
  <form id="step-up-code-form" method="post" novalidate>
    ${PROBLEM}
    ${field({ id: "step-up-code", name: "code", label: "Code of your authenticator app", type: "text", autocomplete: "one-time-code", maxlength: 16, numeric: true })}
    <button type="submit" class="primary">Go on</button>
  </form>
  ${passkeyForm("step-up-passkey", "Use a passkey")}
  <button type="button" class="wide" id="step-up-cancel">Cancel</button>
</dialog>
</main>`,
});
