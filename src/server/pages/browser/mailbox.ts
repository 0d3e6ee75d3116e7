import { api } from "./api.ts";
import { byId, type Child, element } from "./dom.ts";

/** One mail, as GET /dev/mailbox.json tells it. */
interface Mail {
  readonly id: string;
  readonly kind?: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly at: string;
}

const EVERY_MS = 3_000;
/** A link is one only where it leads to this server; what a person wrote into a mail stays text. */
const own = `${byId("main", HTMLElement).dataset["issuer"] ?? location.origin}/`;
const mails = byId("mails", HTMLDivElement);
const status = byId("status", HTMLParagraphElement);
const problem = byId("problem", HTMLParagraphElement);

async function look(): Promise<void> {
  const answer = await api("GET", "/dev/mailbox.json");
  problem.hidden = answer.ok;
  if (!answer.ok) {
    problem.textContent = answer.error;
    return;
  }
  show(answer.data as unknown as readonly Mail[]);
}

/** What stands there already stays, so that nobody who reads loses the place. */
function show(list: readonly Mail[]): void {
  const known = new Map([...mails.children].map((each) => [each.id, each]));
  const wanted = list.map((mail) => known.get(mail.id) ?? mailView(mail));
  const isSame = wanted.length === known.size && wanted.every((each) => each.isConnected);
  if (!isSame) {
    for (const each of known.values())
      if (!wanted.includes(each as HTMLDetailsElement)) each.remove();
    for (const each of [...wanted].reverse()) if (!each.isConnected) mails.prepend(each);
  }
  byId("empty", HTMLDivElement).hidden = list.length > 0;
  const text = list.length === 1 ? "1 mail" : `${list.length} mails`;
  if (status.textContent !== text) status.textContent = text;
}

function mailView(mail: Mail): HTMLDetailsElement {
  return element(
    "details",
    { class: "mail", id: mail.id },
    element(
      "summary",
      {},
      element("h2", {}, mail.subject),
      element(
        "div",
        { class: "about small muted" },
        element("span", {}, `To ${mail.to}`),
        element("time", { datetime: mail.at }, new Date(mail.at).toLocaleString()),
        mail.kind !== undefined && element("span", {}, mail.kind),
      ),
    ),
    element("pre", { class: "text" }, ...withLinks(mail.text)),
  );
}

const withLinks = (text: string): Child[] =>
  text
    .split(/(https?:\/\/[^\s<>"]+)/)
    .map((part) => (part.startsWith(own) ? element("a", { href: part }, part) : part));

byId("reload", HTMLButtonElement).addEventListener("click", () => void look());
setInterval(() => {
  if (document.visibilityState === "visible") void look();
}, EVERY_MS);
await look();
mails.querySelector("details")?.setAttribute("open", "");
