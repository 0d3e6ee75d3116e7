import type { Page } from "./page.ts";

/** mailboxPage is the page of the development mailbox. Its issuer is an origin of the configuration: no sign of it is markup. */
export const mailboxPage = (issuer: string): Page => ({
  title: "Development mailbox",
  script: "mailbox.js",
  styles: STYLES,
  body: `<main id="main" data-issuer="${issuer}">
<header>
  <h1>Development mailbox</h1>
  <p class="muted">What this server would have sent: the last 100 mails, in memory, until it stops. In production there is no such page.</p>
  <div class="line">
    <p id="status" role="status" class="small">Loading...</p>
    <button type="button" id="reload">Look again</button>
  </div>
</header>
<noscript><p class="notice">This page needs JavaScript; the mails are at <a href="/dev/mailbox.json">/dev/mailbox.json</a> too.</p></noscript>
<p id="problem" class="notice bad" role="alert" hidden></p>
<div class="notice empty" id="empty" hidden>
  <p><strong>No mail yet</strong></p>
  <p class="muted">Mail appears here as soon as something sends it: <a href="/auth/register">register</a>, or <a href="/auth/forgot">ask for a new password</a>.</p>
</div>
<div id="mails"></div>
</main>`,
});

/** The layout of /dev/mailbox: one column, as wide as a mail is easy to read. */
const STYLES = `
main { max-width: 46rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
header > * + * { margin-top: .4rem; }
.line { display: flex; gap: 1rem; justify-content: space-between; align-items: center; }
.line button { flex: none; }
.empty { text-align: center; padding: 2.5rem 1rem; }
#problem, .empty, #mails { margin-top: 1rem; }
.mail { background: var(--surface); border: 1px solid var(--line); border-radius: 8px; }
.mail + .mail { margin-top: .5rem; }
.mail > summary { list-style: none; cursor: pointer; padding: .75rem 1rem; border-radius: 8px; overflow-wrap: anywhere; }
.mail > summary::-webkit-details-marker { display: none; }
.mail > summary:hover { background: var(--sunken); }
.mail[open] > summary { border-bottom: 1px solid var(--line); border-radius: 8px 8px 0 0; }
.mail h2 { font-size: 1rem; }
.about { display: flex; flex-wrap: wrap; gap: .1rem 1rem; }
.text { margin: 0; padding: 1rem; font-family: inherit; font-size: .9375rem; white-space: pre-wrap; overflow-wrap: anywhere; }
`;
