/** What both pages share: colours in light and dark, text, controls. Every text stands out by 4.5:1, every control by 3:1. */
export const BASE_STYLES = `
:root {
  color-scheme: light dark;
  --page: #f4f6f8; --surface: #ffffff; --sunken: #eef1f4; --text: #18212b; --muted: #4d5966;
  --line: #d3dae1; --control: #76828f; --accent: #0b6e63; --on-accent: #ffffff; --focus: #0b57d0;
  --good: #14663a; --good-back: #e2f4e9; --bad: #a3201a; --bad-back: #fdebe9; --warn: #7d4a00; --warn-back: #fdf1dd;
  --get: #0a4f9e; --get-back: #e3effb;
  --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0f141a; --surface: #171e26; --sunken: #10161d; --text: #e5eaf0; --muted: #a7b3bf;
    --line: #2c3743; --control: #7c8996; --accent: #5fd0bf; --on-accent: #06231f; --focus: #8ab8ff;
    --good: #85dba8; --good-back: #12331f; --bad: #ff9f97; --bad-back: #431a18; --warn: #f3c274; --warn-back: #3a2a10;
    --get: #93c3fa; --get-back: #132d4a;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--text); overflow-wrap: break-word;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
}
h1, h2, h3, h4, p { margin: 0; }
h1 { font-size: 1.35rem; line-height: 1.25; }
a { color: var(--accent); }
code, pre, .mono { font-family: var(--mono); font-size: .875em; }
code { overflow-wrap: anywhere; }
code.choice { white-space: nowrap; }
[hidden] { display: none !important; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; border-radius: 4px; }
.muted { color: var(--muted); }
.small { font-size: .875rem; }
.visually-hidden {
  position: absolute; width: 1px; height: 1px; margin: -1px; padding: 0; overflow: hidden;
  clip-path: inset(50%); white-space: nowrap; border: 0;
}
label { display: block; font-weight: 600; font-size: .9375rem; }
input, textarea, select {
  width: 100%; padding: .55rem .7rem; border: 1px solid var(--control); border-radius: 6px;
  background: var(--surface); color: var(--text); font: inherit;
}
textarea { font-family: var(--mono); font-size: .875rem; line-height: 1.5; resize: vertical; tab-size: 2; }
::placeholder { color: var(--muted); opacity: 1; }
[aria-invalid="true"] { border-color: var(--bad); border-width: 2px; }
button {
  padding: .55rem 1rem; border: 1px solid var(--control); border-radius: 6px; min-height: 2.6rem;
  background: var(--surface); color: var(--text); font: inherit; font-weight: 600; cursor: pointer;
}
button:hover { background: var(--sunken); }
button.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
button.primary:hover { filter: brightness(1.08); }
button[disabled] { opacity: .65; cursor: progress; }
.notice { padding: .75rem 1rem; border-radius: 8px; border: 1px solid var(--line); background: var(--surface); }
.notice.bad { background: var(--bad-back); border-color: var(--bad); color: var(--bad); }
.notice.good { background: var(--good-back); border-color: var(--good); color: var(--good); }
.field-error { color: var(--bad); font-size: .875rem; margin-top: .25rem; }
.hint { color: var(--muted); font-size: .875rem; margin-top: .25rem; }
`;
