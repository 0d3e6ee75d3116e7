import type { OpenApiDocument } from "../../../openapi/index.ts";
import { listView, startSearch } from "./docs-nav.ts";
import { byId, element } from "./dom.ts";
import { operationView } from "./operation-view.ts";
import { byTag, entriesOf, resolver } from "./operations.ts";

const main = byId("operations", HTMLElement);

async function load(): Promise<void> {
  main.replaceChildren(element("p", { class: "notice" }, "Loading the document..."));
  try {
    const response = await fetch("/openapi.json", { credentials: "omit" });
    if (!response.ok) throw new Error(`The server answered ${response.status}.`);
    show((await response.json()) as OpenApiDocument);
  } catch (error) {
    const again = element("button", { type: "button" }, "Try again");
    again.addEventListener("click", () => void load());
    const why = error instanceof TypeError ? "The server did not answer." : messageOf(error);
    main.replaceChildren(
      element(
        "div",
        { class: "notice bad empty", role: "alert" },
        element("p", {}, `The document could not be loaded. ${why}`),
        again,
      ),
    );
  }
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

function show(document: OpenApiDocument): void {
  const { title, version } = document.info;
  byId("title", HTMLHeadingElement).textContent = title;
  const link = element("a", { href: "/openapi.json" }, "openapi.json");
  const entries = entriesOf(document);
  byId("about", HTMLParagraphElement).replaceChildren(
    `Version ${version}, ${entries.length} operations, from `,
    link,
  );
  if (entries.length === 0) {
    main.replaceChildren(element("p", { class: "notice empty" }, "There are no operations yet."));
    return;
  }
  const groups = byTag(document, entries);
  const resolve = resolver(document);
  main.replaceChildren(
    ...groups.map(([tag, some]) =>
      element(
        "section",
        { class: "group" },
        element("h2", {}, tag),
        ...some.map((entry) => operationView(entry, resolve)),
      ),
    ),
  );
  const list = byId("list", HTMLDivElement);
  list.replaceChildren(...listView(groups));
  startSearch(entries, main, list);
  openLinked();
}

/** openLinked opens the operation that the address names. */
function openLinked(): void {
  const linked = document.getElementById(location.hash.slice(1));
  if (!(linked instanceof HTMLDetailsElement)) return;
  linked.open = true;
  linked.scrollIntoView();
  linked.querySelector("summary")?.focus({ preventScroll: true });
}

function startToken(): void {
  const input = byId("token", HTMLInputElement);
  const clear = byId("token-clear", HTMLButtonElement);
  const follow = (): void => {
    clear.hidden = input.value === "";
  };
  input.addEventListener("input", follow);
  clear.addEventListener("click", () => {
    input.value = "";
    follow();
    input.focus();
  });
  // A browser that restores forms must not restore this.
  input.value = "";
}

startToken();
window.addEventListener("hashchange", openLinked);
void load();
