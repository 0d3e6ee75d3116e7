/** The layout of /docs: one column on a phone, a list beside the operations from 900 px, two columns inside one from 1180 px. */
export const DOCS_STYLES = `
.skip { position: absolute; left: -999px; }
.skip:focus { left: 1rem; top: .5rem; padding: .5rem 1rem; background: var(--surface); z-index: 5; }
header.top { background: var(--surface); border-bottom: 1px solid var(--line); }
header.top > div { max-width: 1320px; margin: 0 auto; padding: 1rem; display: grid; gap: .75rem 2rem; }
.token { max-width: 34rem; }
.token-row { display: flex; gap: .5rem; margin-top: .25rem; }
.token-row input { flex: 1; min-width: 0; font-family: var(--mono); }
.frame { max-width: 1320px; margin: 0 auto; padding: 1rem; display: grid; gap: 1rem; }
nav ul { list-style: none; margin: 0 0 .75rem; padding: 0; }
nav .list { display: none; }
nav h2 { font-size: .8125rem; color: var(--muted); margin: 0 0 .15rem .5rem; }
nav a {
  display: grid; grid-template-columns: 3.4rem 1fr; gap: .35rem; align-items: baseline; padding: .2rem .5rem;
  border-radius: 6px; color: var(--text); text-decoration: none; font-size: .8125rem;
}
nav a:hover { background: var(--sunken); }
nav a code { font-size: .8125rem; }
.group { margin-bottom: 1.75rem; }
.group > h2 { font-size: 1.05rem; margin: 0 0 .5rem; }
.group > h2::first-letter { text-transform: uppercase; }
.operation { background: var(--surface); border: 1px solid var(--line); border-radius: 8px; margin-bottom: .5rem; scroll-margin-top: 1rem; }
.operation > summary {
  list-style: none; cursor: pointer; padding: .65rem .9rem; display: flex; flex-wrap: wrap; gap: .25rem .75rem;
  align-items: center; border-radius: 8px;
}
.operation > summary::-webkit-details-marker { display: none; }
.operation > summary:hover { background: var(--sunken); }
.operation[open] > summary { border-bottom: 1px solid var(--line); border-radius: 8px 8px 0 0; }
.operation summary h3 { display: flex; gap: .6rem; align-items: center; font-size: 1rem; min-width: 0; }
.operation summary .what { flex: 1 1 14rem; min-width: 0; color: var(--muted); overflow-wrap: anywhere; }
.tag { font-size: .75rem; font-weight: 600; padding: .1rem .5rem; border-radius: 99px; border: 1px solid var(--line); color: var(--muted); white-space: nowrap; }
.method {
  font: 700 .75rem/1.6 var(--mono); padding: .1rem .45rem; border-radius: 4px; min-width: 3.9rem; text-align: center; flex: none;
}
nav .method { min-width: 0; padding: 0; background: none !important; text-align: left; font-size: .6875rem; }
.method.get { color: var(--get); background: var(--get-back); }
.method.post { color: var(--good); background: var(--good-back); }
.method.put, .method.patch { color: var(--warn); background: var(--warn-back); }
.method.delete { color: var(--bad); background: var(--bad-back); }
.inside { padding: 1rem .9rem 1.1rem; display: grid; gap: 1.5rem; }
.inside > * { min-width: 0; }
.inside h4 { font-size: .9375rem; margin: 0 0 .4rem; }
.inside section + section { margin-top: 1.25rem; }
.rows { margin: 0; border: 1px solid var(--line); border-radius: 6px; }
.rows > div { padding: .5rem .75rem; }
.rows > div + div { border-top: 1px solid var(--line); }
.rows dt { display: flex; flex-wrap: wrap; gap: .15rem .6rem; align-items: baseline; }
.rows dt code { font-weight: 700; }
.rows dd { margin: .1rem 0 0; color: var(--muted); font-size: .875rem; overflow-wrap: anywhere; }
.rows .choice { margin-right: .5rem; display: inline-block; max-width: 100%; white-space: normal; color: var(--text); }
.rows .must { color: var(--bad); font-size: .8125rem; font-weight: 600; }
.rows .rows { margin-top: .5rem; }
.either > .rows, .either > .either, .either > div { margin-top: .35rem; }
.either > p + p, .either > .rows + p { margin-top: .35rem; }
.policies { display: flex; flex-wrap: wrap; gap: .4rem; list-style: none; padding: 0; margin: 0; }
.policies li { background: var(--sunken); border: 1px solid var(--line); border-radius: 6px; padding: .2rem .6rem; font-size: .875rem; min-width: 0; overflow-wrap: anywhere; }
.responses details { border-top: 1px solid var(--line); }
.responses details:first-of-type { border-top: 0; }
.responses { border: 1px solid var(--line); border-radius: 6px; }
.responses summary { padding: .5rem .75rem; cursor: pointer; font-size: .9375rem; overflow-wrap: anywhere; }
.responses .content { padding: 0 .75rem .75rem; }
.status { font-family: var(--mono); font-weight: 700; margin-right: .35rem; }
.status.good { color: var(--good); } .status.warn { color: var(--warn); } .status.bad { color: var(--bad); }
.try { background: var(--page); border: 1px solid var(--line); border-radius: 8px; padding: 1rem; align-self: start; }
.try form > div { margin-bottom: .85rem; }
.try label span { font-weight: 400; color: var(--muted); }
.try .send { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; margin: 0; }
.answer { margin-top: 1rem; border-top: 1px solid var(--line); padding-top: 1rem; }
.answer-line { display: flex; flex-wrap: wrap; gap: .25rem .75rem; align-items: baseline; margin-bottom: .5rem; }
.answer-line strong { font-family: var(--mono); padding: .1rem .5rem; border-radius: 4px; }
.answer-line strong.good { color: var(--good); background: var(--good-back); }
.answer-line strong.warn { color: var(--warn); background: var(--warn-back); }
.answer-line strong.bad { color: var(--bad); background: var(--bad-back); }
.answer pre, .example {
  margin: .5rem 0 0; padding: .75rem; background: var(--sunken); border: 1px solid var(--line); border-radius: 6px;
  overflow: auto; max-height: 26rem; white-space: pre-wrap; overflow-wrap: anywhere;
}
.answer table { border-collapse: collapse; width: 100%; font-size: .8125rem; margin-top: .35rem; }
.answer th, .answer td { text-align: left; vertical-align: top; padding: .25rem .5rem .25rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; font-family: var(--mono); }
.answer th { font-weight: 600; width: 42%; }
.empty { text-align: center; padding: 2.5rem 1rem; }
.empty button { margin-top: 1rem; }
@media (min-width: 900px) {
  header.top > div { grid-template-columns: 1fr minmax(20rem, 34rem); align-items: center; }
  .frame { grid-template-columns: 18rem minmax(0, 1fr); gap: 2rem; padding-top: 1.5rem; }
  nav { position: sticky; top: 1rem; align-self: start; max-height: calc(100vh - 2rem); display: flex; flex-direction: column; }
  nav .list { display: block; overflow-y: auto; margin-top: 1rem; }
}
@media (min-width: 1180px) {
  .inside { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); }
}
`;
