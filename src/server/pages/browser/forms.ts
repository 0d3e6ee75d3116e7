import type { Answer, Detail } from "./api.ts";
import { byId } from "./dom.ts";

/** valuesOf reads the fields of a form by their names. */
export function valuesOf(form: HTMLFormElement): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [name, value] of new FormData(form)) {
    if (typeof value === "string") values[name] = value;
  }
  return values;
}

/** showFaults puts each fault under its field, and what belongs to no field above the form. */
export function showFaults(
  form: HTMLFormElement,
  details: readonly Detail[],
  otherwise: string,
): void {
  const inputs = [...form.querySelectorAll<HTMLInputElement>("input[name]")];
  const own = (name: string): string =>
    details
      .filter(({ field }) => field === name)
      .map(({ message }) => message)
      .join(" ");
  for (const input of inputs) {
    const line = form.querySelector<HTMLElement>(`#${input.id}-error`);
    const text = own(input.name);
    if (line === null) continue;
    line.textContent = text;
    line.hidden = text === "";
    if (text === "") input.removeAttribute("aria-invalid");
    else input.setAttribute("aria-invalid", "true");
  }
  const names = new Set(inputs.map(({ name }) => name));
  const others = details.filter(({ field }) => !names.has(field)).map(({ message }) => message);
  const isShown = details.some(({ field }) => names.has(field));
  const text = isShown ? others.join(" ") : [otherwise, ...others].join(" ").trim();
  showProblem(form, text);
  const first = inputs.find((input) => input.hasAttribute("aria-invalid"));
  if (first !== undefined) first.focus();
  else if (text !== "") form.querySelector<HTMLElement>("[role=alert]")?.focus();
}

/** showProblem says what is wrong above a form, or takes it back where the text is empty. */
function showProblem(form: HTMLFormElement, text: string): void {
  const problem = form.querySelector<HTMLElement>("[role=alert]");
  if (problem === null) return;
  problem.textContent = text;
  problem.hidden = text === "";
}

/** onSubmit runs `send` at each submit, one at a time, and shows what its answer refused. */
export function onSubmit(
  id: string,
  send: (values: Record<string, string>) => Promise<Answer | undefined>,
): HTMLFormElement {
  const form = byId(id, HTMLFormElement);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void submit();
  });
  const submit = async (): Promise<void> => {
    const buttons = [...form.querySelectorAll("button")];
    const values = valuesOf(form);
    const missing = [...form.querySelectorAll<HTMLInputElement>("input[required]")]
      .filter(({ value }) => value.trim() === "")
      .map(({ name }) => ({ field: name, message: "Fill this in." }));
    showFaults(form, missing, "");
    if (missing.length > 0) return;
    for (const button of buttons) button.disabled = true;
    form.setAttribute("aria-busy", "true");
    const answer = await send(values);
    form.removeAttribute("aria-busy");
    for (const button of buttons) button.disabled = false;
    if (answer !== undefined && !answer.ok) showFaults(form, answer.details, answer.error);
  };
  return form;
}

/** showState shows one of the cards of a page and leads keyboard and reader to its heading. */
export function showState(states: readonly string[], state: string): void {
  for (const each of states) byId(each, HTMLElement).hidden = each !== state;
  byId(state, HTMLElement).querySelector("h1")?.focus();
}

/** takeToken reads the token behind the # and takes it out of the address bar and the history. */
export function takeToken(): string {
  const token = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
  return token;
}
