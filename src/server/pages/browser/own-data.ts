import { byId, element } from "./dom.ts";
import { withStepUp } from "./step-up.ts";

const TIMES = new Intl.DateTimeFormat(undefined, { dateStyle: "long", timeStyle: "short" });

/** bindOwnData runs what people may do with all that is theirs: take it along, and have it deleted. */
export function bindOwnData(tell: (text: string, isBad?: boolean) => void): void {
  const ask = byId("delete-ask", HTMLDialogElement);
  const act = (id: string, run: () => Promise<void>): void => {
    const button = byId(id, HTMLButtonElement);
    button.addEventListener("click", () => {
      button.disabled = true;
      void run().finally(() => {
        button.disabled = false;
      });
    });
  };
  act("export", async () => {
    const answer = await withStepUp("POST", "/api/auth/me/export");
    if (!answer.ok) return tell(answer.error, true);
    download(answer.data, "my-data.json");
    tell("Your data is in the file my-data.json.");
  });
  byId("delete", HTMLButtonElement).addEventListener("click", () => ask.showModal());
  byId("delete-cancel", HTMLButtonElement).addEventListener("click", () => ask.close());
  act("delete-go", async () => {
    ask.close();
    const answer = await withStepUp("DELETE", "/api/auth/me");
    if (!answer.ok) return tell(answer.error, true);
    conclude(String(answer.data["deleteAt"]));
  });
}

function download(data: unknown, name: string): void {
  const file = new Blob([JSON.stringify(data, null, 2)], { type: "application/json" });
  const href = URL.createObjectURL(file);
  element("a", { href, download: name }).click();
  // The browser reads it after this turn; it is gone with the page at the latest.
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}

/** Nobody is signed in any more: nothing of the account stays in sight. */
function conclude(deleteAt: string): void {
  byId("account", HTMLDivElement).remove();
  byId("status", HTMLParagraphElement).hidden = true;
  const when = element("time", { datetime: deleteAt }, TIMES.format(new Date(deleteAt)));
  byId("deleted-when", HTMLParagraphElement).replaceChildren(
    "You are signed out everywhere. The account is deleted on ",
    when,
    ".",
  );
  const card = byId("deleted", HTMLDivElement);
  card.hidden = false;
  card.querySelector("h1")?.focus();
}
