import { byId, element } from "./dom.ts";
import { methodBadge } from "./operation-view.ts";
import { type byTag, type Entry, matches } from "./operations.ts";

type Groups = ReturnType<typeof byTag>;

/** listView is the list beside the operations: a link to each. */
export const listView = (groups: Groups): HTMLElement[] =>
  groups.flatMap(([tag, entries]) => [
    element("h2", {}, tag),
    element("ul", {}, ...entries.map((entry) => element("li", {}, linkTo(entry)))),
  ]);

const linkTo = (entry: Entry): HTMLElement =>
  element(
    "a",
    { href: `#${entry.operationId}` },
    methodBadge(entry.method),
    element("code", {}, entry.path.replace(/^\/api(?=\/)/, "")),
  );

/**
 * startSearch hides what a search does not find, in the list and among the operations; a search that finds nothing says so
 * and can be taken back.
 */
export function startSearch(entries: readonly Entry[], main: HTMLElement, list: HTMLElement): void {
  const input = byId("search", HTMLInputElement);
  const found = byId("found", HTMLParagraphElement);
  const words = element("p", {});
  const clear = element("button", { type: "button" }, "Clear the search");
  const empty = element("div", { class: "notice empty", hidden: true }, words, clear);
  main.append(empty);

  const search = (): void => {
    const asked = input.value.trim();
    const ids = new Set(
      entries.filter((entry) => matches(entry, asked)).map(({ operationId }) => operationId),
    );
    for (const view of main.querySelectorAll<HTMLElement>(".operation")) {
      view.hidden = !ids.has(view.id);
    }
    for (const group of main.querySelectorAll<HTMLElement>(".group")) {
      group.hidden = group.querySelector(".operation:not([hidden])") === null;
    }
    for (const link of list.querySelectorAll("a")) {
      (link.parentElement as HTMLElement).hidden = !ids.has(link.hash.slice(1));
    }
    for (const heading of list.querySelectorAll("h2")) {
      heading.hidden = heading.nextElementSibling?.querySelector("li:not([hidden])") === null;
    }
    empty.hidden = ids.size > 0;
    words.textContent = `No operation matches "${asked}".`;
    found.textContent = asked === "" ? "" : `${ids.size} of ${entries.length} operations`;
  };
  input.addEventListener("input", search);
  clear.addEventListener("click", () => {
    input.value = "";
    search();
    input.focus();
  });
}
