import { byId, element } from "./dom.ts";
import { bindPasswords, lengthOf, MIN_PASSWORD } from "./passwords.ts";

const FIELDS = ["email", "name", "password"] as const;
const STATES = ["ask", "done", "no-token", "spent"] as const;

interface Detail {
  readonly field: string;
  readonly message: string;
}

/** The parts of an answer that this page reads. */
interface Answer {
  readonly error?: string;
  readonly details?: readonly Detail[];
}

const inputOf = (name: string): HTMLInputElement => byId(name, HTMLInputElement);
const problem = byId("problem", HTMLDivElement);
let token = "";

/** takeToken reads the token behind the # and takes it out of the address bar and the history. */
function takeToken(): void {
  token = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
  show(token === "" ? "no-token" : "ask");
}

function show(state: (typeof STATES)[number]): void {
  for (const each of STATES) byId(each, HTMLDivElement).hidden = each !== state;
  byId(state, HTMLDivElement).querySelector("h1")?.focus();
}

/** showDetails puts each fault under its field; what belongs to no field stands above them all. */
function showDetails(details: readonly Detail[], otherwise: string): void {
  for (const name of FIELDS) {
    const own = details.filter(({ field }) => field === name).map(({ message }) => message);
    const line = byId(`${name}-error`, HTMLParagraphElement);
    line.textContent = own.join(" ");
    line.hidden = own.length === 0;
    if (own.length === 0) inputOf(name).removeAttribute("aria-invalid");
    else inputOf(name).setAttribute("aria-invalid", "true");
  }
  const isOfField = ({ field }: Detail): boolean => FIELDS.some((name) => name === field);
  const others = details.filter((detail) => !isOfField(detail)).map(({ message }) => message);
  const text = details.some(isOfField) ? others.join(" ") : [otherwise, ...others].join(" ").trim();
  problem.textContent = text;
  problem.hidden = text === "";
  FIELDS.map(inputOf)
    .find((input) => input.hasAttribute("aria-invalid"))
    ?.focus();
}

/** What can be told without the server, all of it at once. */
function problemsOf(values: Readonly<Record<string, string>>): Detail[] {
  const missing = FIELDS.filter((name) => values[name] === "");
  const problems = missing.map((field) => ({ field, message: "Fill this in." }));
  const length = lengthOf(values["password"] ?? "");
  if (length === 0 || length >= MIN_PASSWORD) return problems;
  const message = `Expected at least ${MIN_PASSWORD} characters, came ${length}.`;
  return [...problems, { field: "password", message }];
}

async function submit(): Promise<void> {
  const values = Object.fromEntries(FIELDS.map((name) => [name, inputOf(name).value]));
  const problems = problemsOf(values);
  showDetails(problems, "");
  if (problems.length > 0) return;
  const button = byId("submit", HTMLButtonElement);
  button.disabled = true;
  button.textContent = "Making the account...";
  try {
    const response = await fetch("/setup", {
      method: "POST",
      credentials: "omit",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify({ token, ...values }),
    });
    conclude(response, (await response.json()) as Answer, values["email"] ?? "");
  } catch {
    showDetails([], "The server did not answer. Is it running? Your link is still good.");
  }
  button.disabled = false;
  button.textContent = "Make the administrator";
}

function conclude(response: Response, answer: Answer, email: string): void {
  if (response.status === 404) finish("spent");
  else if (!response.ok) {
    const wait = response.headers.get("retry-after");
    const when = wait === null ? "" : ` Try again in ${wait} seconds.`;
    showDetails(answer.details ?? [], `${answer.error ?? "The server refused."}${when}`);
  } else {
    const account = element("strong", {}, email);
    byId("made", HTMLParagraphElement).replaceChildren(
      "The account ",
      account,
      " may now administer this server.",
    );
    finish("done");
  }
}

/** Nothing secret stays in a page that is done with it. */
function finish(state: "done" | "spent"): void {
  token = "";
  inputOf("password").value = "";
  show(state);
}

bindPasswords();
byId("form", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  void submit();
});
// A link that is pasted over an open page changes the fragment alone, and loads nothing.
window.addEventListener("hashchange", () => {
  if (location.hash.length > 1) takeToken();
});
takeToken();
