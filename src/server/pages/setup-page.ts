import type { Page } from "./page.ts";
import { SETUP_STYLES } from "./setup-styles.ts";

/** Every state of the page stands here, hidden; the script shows one. */
export const SETUP_PAGE: Page = {
  title: "First administrator",
  script: "setup.js",
  styles: SETUP_STYLES,
  body: `<main>
<noscript><p class="notice">This page needs JavaScript. Without it: <code>bulwark users create --dev --role admin</code>.</p></noscript>
<div class="card" id="ask" hidden>
  <h1 tabindex="-1">Make the first administrator</h1>
  <p class="muted">Your link is good once, and for 15 minutes from the start of the server. It was taken out of the address bar; if you reload, open the link again.</p>
  <form id="form" method="post" action="/setup" novalidate>
    <div id="problem" class="notice bad" role="alert" hidden></div>
    <div>
      <label for="email">E-mail</label>
      <input id="email" name="email" type="email" autocomplete="username" autocapitalize="off" spellcheck="false" maxlength="320" required aria-describedby="email-error">
      <p class="field-error" id="email-error" hidden></p>
    </div>
    <div>
      <label for="name">Name</label>
      <input id="name" name="name" type="text" autocomplete="name" maxlength="400" required aria-describedby="name-error">
      <p class="field-error" id="name-error" hidden></p>
    </div>
    <div>
      <label for="password">Password</label>
      <div class="password-row">
        <input id="password" name="password" type="password" autocomplete="new-password" maxlength="1024" required aria-describedby="password-error password-hint">
        <button type="button" aria-pressed="false" aria-label="Show password">Show</button>
      </div>
      <p class="field-error" id="password-error" hidden></p>
      <p class="hint" id="password-hint">At least 15 characters. Some unrelated words are easier to keep in mind than signs and digits.</p>
    </div>
    <button type="submit" class="primary" id="submit">Make the administrator</button>
  </form>
</div>
<div class="card" id="done" hidden>
  <h1 tabindex="-1">You are the administrator</h1>
  <p class="notice good" id="made"></p>
  <p>What to do next:</p>
  <ol>
    <li>Sign in: <a href="/docs#postAuthLogin">POST /api/auth/login</a> in the documentation, with this address and password. The answer has your access token.</li>
    <li>Look at what was recorded, this included: <a href="/docs#getAdminAudit">GET /api/admin/audit</a>.</li>
    <li>The link does not work again. Other people register themselves.</li>
  </ol>
</div>
<div class="card" id="no-token" hidden>
  <h1 tabindex="-1">Open the link that the server printed</h1>
  <p>There is no token in this address, so there is nothing to set up here. A development start prints a link such as:</p>
  <pre>http://localhost:3000/setup#...</pre>
  <p>Open it as it is, with all that follows the <code>#</code>. If an administrator exists already, no link is printed: <a href="/auth/login">sign in</a> instead.</p>
</div>
<div class="card" id="spent" hidden>
  <h1 tabindex="-1">This link does not work any more</h1>
  <p class="notice bad">It was used, is older than 15 minutes, or an administrator exists already. Nothing was changed.</p>
  <p>What to do next:</p>
  <ul>
    <li>If you made the administrator: <a href="/auth/login">sign in</a>.</li>
    <li>Else stop the server and start it again: it prints a new link as long as there is no administrator.</li>
    <li>Or make one on the command line:<pre>bulwark users create --dev --email you@example.com --role admin --password-stdin</pre></li>
  </ul>
</div>
</main>`,
};
