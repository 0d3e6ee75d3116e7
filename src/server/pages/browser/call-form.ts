import type { Parameter } from "../../../openapi/index.ts";
import { type Answer, keyOf, type Problem, prepare, pretty, send } from "./call.ts";
import { byId, element } from "./dom.ts";
import { type Entry, needsToken } from "./operations.ts";

const MAX_SHOWN = 100_000;

type Control = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

/** callForm lets a person call an operation: its parameters, its body as JSON, and what was answered. */
export function callForm(entry: Entry): HTMLElement {
  const inputs = new Map<string, Control>();
  const id = (name: string): string => `try-${entry.operationId}-${name}`;

  const field = (key: string, name: string, input: Control, note: string) => {
    inputs.set(key, input);
    input.id = id(key);
    input.setAttribute("aria-describedby", id(`${key}-error`));
    return element(
      "div",
      {},
      element("label", { for: input.id }, name, " ", element("span", {}, note)),
      input,
      element("p", { class: "field-error", id: id(`${key}-error`), hidden: true }),
    );
  };

  const fields = (entry.parameters ?? []).map((parameter) => {
    const { name, in: place, required } = parameter;
    const key = keyOf(parameter);
    return field(key, name, controlOf(parameter), `(${place}${required ? "" : ", optional"})`);
  });
  const media = entry.requestBody?.content["application/json"];
  if (media !== undefined) {
    const text = JSON.stringify(media.example ?? {}, null, 2);
    const rows = String(Math.min(16, Math.max(4, text.split("\n").length + 1)));
    const area = element("textarea", { rows, spellcheck: "false", autocapitalize: "off" });
    area.value = text;
    fields.push(field("body", "body", area, "(JSON)"));
  }

  const button = element("button", { type: "submit", class: "primary" }, "Send");
  const reminder = element("span", { class: "small muted" });
  const answer = element("div", { "aria-live": "polite" });
  const form = element(
    "form",
    { novalidate: true },
    ...fields,
    element("div", { class: "send" }, button, reminder),
  );

  const showProblems = (problems: readonly Problem[]): void => {
    for (const [key, input] of inputs) {
      const problem = problems.find((each) => each.field === key);
      const line = byId(id(`${key}-error`), HTMLParagraphElement);
      line.textContent = problem?.message ?? "";
      line.hidden = problem === undefined;
      if (problem === undefined) input.removeAttribute("aria-invalid");
      else input.setAttribute("aria-invalid", "true");
    }
    inputs.get(problems[0]?.field ?? "")?.focus();
  };

  const call = async (): Promise<void> => {
    const token = byId("token", HTMLInputElement).value.trim();
    const parameters = Object.fromEntries([...inputs].map(([key, input]) => [key, input.value]));
    const prepared = prepare(entry, { parameters, body: inputs.get("body")?.value ?? "", token });
    const isReady = "url" in prepared;
    showProblems(isReady ? [] : prepared);
    if (!isReady) return;
    reminder.textContent =
      token === "" && needsToken(entry) ? "No token was sent: paste one at the top." : "";
    button.disabled = true;
    button.textContent = "Sending...";
    try {
      answer.replaceChildren(answerView(await send(prepared)));
    } catch {
      const text = "No answer came. Is the server running, and is this page still served by it?";
      answer.replaceChildren(element("p", { class: "notice bad answer" }, text));
    }
    answer.scrollIntoView({ block: "nearest" });
    button.disabled = false;
    button.textContent = "Send";
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void call();
  });
  return element("section", { class: "try" }, element("h4", {}, "Try it"), form, answer);
}

/** A parameter that is one of a few values is chosen, any other is written. */
function controlOf({ schema }: Parameter): Control {
  if (schema.enum === undefined) {
    return element("input", { type: "text", autocomplete: "off", spellcheck: "false" });
  }
  const options = ["", ...schema.enum.map(String)];
  return element("select", {}, ...options.map((value) => element("option", { value }, value)));
}

/** toneOf colours a status: what was done, what was refused, what failed. */
export const toneOf = (status: number): "good" | "warn" | "bad" => {
  if (status < 400) return "good";
  return status < 500 ? "warn" : "bad";
};

function answerView(answer: Answer): HTMLElement {
  const { status, statusText, headers, text, milliseconds } = answer;
  const bytes = new TextEncoder().encode(text).byteLength;
  const shown = pretty(text).slice(0, MAX_SHOWN);
  const rows = headers.map(([name, value]) =>
    element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, value)),
  );
  return element(
    "div",
    { class: "answer" },
    element(
      "p",
      { class: "answer-line" },
      element("strong", { class: toneOf(status) }, `${status} ${statusText}`.trim()),
      element("span", { class: "small muted" }, `${milliseconds} ms, ${bytes} bytes`),
      tokenOffer(text),
    ),
    element(
      "details",
      {},
      element("summary", { class: "small" }, `Headers (${headers.length})`),
      element("table", {}, element("tbody", {}, ...rows)),
    ),
    text === ""
      ? element("p", { class: "muted small" }, "The body is empty.")
      : element(
          "pre",
          { tabindex: "0", role: "region", "aria-label": "Body of the answer" },
          shown,
        ),
    shown.length === MAX_SHOWN &&
      element("p", { class: "muted small" }, `The first ${MAX_SHOWN} characters are shown.`),
  );
}

/** A sign-in's answer can become the token of this page, without a copy in the clipboard. */
function tokenOffer(text: string): HTMLElement | undefined {
  const found = /"accessToken":"([A-Za-z0-9._~+/=-]+)"/.exec(text)?.[1];
  if (found === undefined) return undefined;
  const button = element("button", { type: "button" }, "Use this token");
  button.addEventListener("click", () => {
    const input = byId("token", HTMLInputElement);
    input.value = found;
    input.dispatchEvent(new Event("input"));
    button.textContent = "In use";
    button.disabled = true;
  });
  return button;
}
