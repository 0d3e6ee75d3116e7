/** field is a labelled input with room for what is wrong with it. All of it is written here; none of it is data. */
export const field = (options: {
  readonly id: string;
  readonly name?: string;
  readonly label: string;
  readonly type: "text" | "email" | "password";
  readonly autocomplete: string;
  readonly maxlength: number;
  readonly hint?: string;
  readonly numeric?: boolean;
}): string => {
  const { id, name = id, label, type, autocomplete, maxlength, hint, numeric = false } = options;
  const described = hint === undefined ? `${id}-error` : `${id}-error ${id}-hint`;
  const shown = hint === undefined ? "" : `\n      <p class="hint" id="${id}-hint">${hint}</p>`;
  const extras = numeric ? ' inputmode="numeric"' : "";
  const plain = type === "password" ? "" : ' autocapitalize="off" spellcheck="false"';
  const input = `<input id="${id}" name="${name}" type="${type}" autocomplete="${autocomplete}" maxlength="${maxlength}"${extras}${plain} required aria-describedby="${described}">`;
  return `<div>
      <label for="${id}">${label}</label>
      ${type === "password" ? withShow(input, label) : input}
      <p class="field-error" id="${id}-error" hidden></p>${shown}
    </div>`;
};

/** A password that can be read before it is sent: who sees what they write writes longer ones. */
const withShow = (input: string, label: string): string => `<div class="password-row">
        ${input}
        <button type="button" aria-pressed="false" aria-label="Show ${label.toLowerCase()}">Show</button>
      </div>`;

/** Says what is wrong with a form as a whole. */
export const PROBLEM = '<div class="notice bad" role="alert" tabindex="-1" hidden></div>';

/** A button that asks the authenticator, as a form of its own, so that what went wrong stands beside it. */
export const passkeyForm = (
  id: string,
  text: string,
): string => `<form id="${id}" method="post" novalidate hidden>
    ${PROBLEM}
    <button type="submit" class="wide">${text}</button>
  </form>`;

export const NOSCRIPT =
  '<noscript><p class="notice">This page needs JavaScript. Without it use the API: <a href="/docs">/docs</a>.</p></noscript>';

export const PASSWORD_HINT =
  "At least 15 characters. Some unrelated words are easier to keep in mind than signs and digits.";

/** The card that asks for the second factor of a sign-in. */
export const FACTOR_CARD = `<div class="card" id="factor" hidden>
  <h1 tabindex="-1">Prove that it is you</h1>
  <form id="factor-form" method="post" novalidate>
    ${PROBLEM}
    ${field({ id: "code", label: "Code of your authenticator app", type: "text", autocomplete: "one-time-code", maxlength: 16, numeric: true })}
    <button type="submit" class="primary">Go on</button>
  </form>
  ${passkeyForm("factor-passkey", "Use a passkey")}
  <form id="recovery-form" method="post" novalidate>
    <details>
      <summary>Use a recovery code</summary>
      ${PROBLEM}
      ${field({ id: "recovery-code", name: "code", label: "Recovery code", type: "text", autocomplete: "off", maxlength: 64 })}
      <button type="submit">Go on with the recovery code</button>
    </details>
  </form>
  <p class="small"><a href="/auth/login">Start again</a></p>
</div>`;
