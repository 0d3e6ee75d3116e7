/** What the pages of accounts need besides a card. */
export const AUTH_STYLES = `
main.wide { max-width: 46rem; padding-top: 1.5rem; }
.top { display: flex; gap: 1rem; justify-content: space-between; align-items: start; flex-wrap: wrap; margin-bottom: 1rem; }
.top > div { flex: 1 1 14rem; min-width: 0; overflow-wrap: anywhere; }
#status { position: sticky; top: .5rem; z-index: 1; margin-bottom: 1rem; box-shadow: 0 2px 12px rgb(0 0 0 / .18); }
#status:focus, [role="alert"]:focus { outline: none; }
section.card { margin-bottom: 1rem; }
h2 { font-size: 1.1rem; }
h2:focus { outline: none; }
.rows, .codes { list-style: none; padding: 0; }
form > [role="alert"][hidden]:first-child + * { margin-top: 0; }
#totp-none > * + *, #totp-set > * + *, details[open] > form > * + * { margin-top: 1rem; }
.row:first-child { border-top: 0; padding-top: 0; }
.row { display: flex; gap: .5rem 1rem; flex-wrap: wrap; justify-content: space-between; align-items: start; padding: .75rem 0; border-top: 1px solid var(--line); }
.row > div:first-child { min-width: 0; flex: 1 1 14rem; }
.row button { flex: none; }
.acts { display: flex; gap: .5rem; flex: none; flex-wrap: wrap; }
.choices { display: grid; gap: .5rem; }
button.danger { color: var(--bad); border-color: var(--bad); }
.agent { overflow-wrap: anywhere; font-weight: 600; font-size: .9375rem; }
.codes { display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: .25rem 1rem; }
.codes li + li { margin-top: 0; }
#qr { display: block; background: #fff; border-radius: 8px; }
button.wide { width: 100%; }
summary { cursor: pointer; font-weight: 600; }
details[open] > * + * { margin-top: 1rem; }
dialog { border: 1px solid var(--line); border-radius: 12px; padding: 1.5rem; width: min(26rem, calc(100vw - 2rem)); background: var(--surface); color: var(--text); }
dialog::backdrop { background: rgb(0 0 0 / .5); }
dialog > * + * { margin-top: 1rem; }
`;
