/** The layout of /setup: one card, as wide as its lines are easy to read. */
export const SETUP_STYLES = `
main { max-width: 30rem; margin: 0 auto; padding: 2rem 1rem 3rem; }
.card { background: var(--surface); border: 1px solid var(--line); border-radius: 12px; padding: 1.5rem; }
.card > * + * { margin-top: 1rem; }
.card h1:focus { outline: none; }
form > * + * { margin-top: 1.1rem; }
form input { margin-top: .25rem; }
.password-row { display: flex; gap: .5rem; margin-top: .25rem; }
.password-row input { margin: 0; flex: 1; min-width: 0; }
.password-row button { flex: none; min-width: 5rem; padding-inline: .75rem; }
.hint.met { color: var(--good); }
.strength { margin-top: .5rem; --bar: var(--bad); }
.strength[data-score="2"] { --bar: var(--warn); }
.strength[data-score="3"], .strength[data-score="4"] { --bar: var(--good); }
.bars { display: grid; grid-template-columns: repeat(4, 1fr); gap: .25rem; }
.bars span { height: .375rem; border: 1px solid var(--control); border-radius: 3px; }
.strength[data-score="1"] span:nth-child(-n+1), .strength[data-score="2"] span:nth-child(-n+2),
.strength[data-score="3"] span:nth-child(-n+3), .strength[data-score="4"] span { background: var(--bar); border-color: var(--bar); }
form .primary { width: 100%; }
ol, ul { margin: 0; padding-left: 1.3rem; }
li + li { margin-top: .5rem; }
pre { margin: .35rem 0 0; padding: .6rem .75rem; background: var(--sunken); border: 1px solid var(--line); border-radius: 6px; white-space: pre-wrap; overflow-wrap: anywhere; }
@media (min-width: 600px) { main { padding-top: 10vh; } .card { padding: 2rem; } }
`;
