import { DOCS_STYLES } from "./docs-styles.ts";
import type { Page } from "./page.ts";

export const DOCS_PAGE: Page = {
  title: "API documentation",
  script: "docs.js",
  styles: DOCS_STYLES,
  body: `<a class="skip" href="#operations">Skip to the operations</a>
<header class="top"><div>
  <div>
    <h1 id="title">API documentation</h1>
    <p class="muted small" id="about">Reads <a href="/openapi.json">/openapi.json</a></p>
  </div>
  <div class="token">
    <label for="token">Bearer token</label>
    <div class="token-row">
      <input id="token" type="password" autocomplete="off" spellcheck="false" placeholder="Paste an access token" aria-describedby="token-hint">
      <button type="button" id="token-clear" hidden>Forget</button>
    </div>
    <p class="hint" id="token-hint">Kept in the memory of this page alone, until you reload or leave it.</p>
  </div>
</div></header>
<div class="frame">
  <nav aria-label="Operations">
    <label for="search" class="visually-hidden">Search the operations</label>
    <input id="search" type="search" autocomplete="off" spellcheck="false" placeholder="Search: path, method, words">
    <p class="visually-hidden" id="found" role="status"></p>
    <div class="list" id="list"></div>
  </nav>
  <main id="operations" tabindex="-1">
    <p class="notice" id="loading">Loading the document...</p>
    <noscript><p class="notice">This page needs JavaScript; the document itself is at <a href="/openapi.json">/openapi.json</a>.</p></noscript>
  </main>
</div>`,
};
