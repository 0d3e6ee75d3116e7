import { byId } from "./dom.ts";
import { type Known, strengthMeter } from "./strength.ts";

/** As the server's default policy; the server decides. */
export const MIN_PASSWORD = 15;

/** In code points, as the server counts. */
export const lengthOf = (text: string): number => Array.from(text).length;

/**
 * bindPasswords lets the passwords of a page be shown, counts the characters of new ones and, where there are enough, shows how
 * strong they are. `known` says whose they are, besides what stands in their form.
 */
export function bindPasswords(known: () => Known = () => ({})): void {
  for (const row of document.querySelectorAll<HTMLElement>(".password-row")) {
    const input = row.querySelector("input");
    const toggle = row.querySelector("button");
    if (input === null || toggle === null) continue;
    bindToggle(input, toggle);
    if (input.autocomplete === "new-password") bindCount(input, known);
  }
}

function bindToggle(input: HTMLInputElement, toggle: HTMLButtonElement): void {
  const show = (isShown: boolean): void => {
    input.type = isShown ? "text" : "password";
    toggle.setAttribute("aria-pressed", String(isShown));
    toggle.textContent = isShown ? "Hide" : "Show";
  };
  toggle.addEventListener("click", () => show(input.type === "password"));
  // What is sent is hidden again, so that the browser offers to keep it and nobody reads it later.
  input.form?.addEventListener("submit", () => show(false));
}

function bindCount(input: HTMLInputElement, known: () => Known): void {
  const hint = byId(`${input.id}-hint`, HTMLParagraphElement);
  const advice = hint.textContent;
  const ask = strengthMeter(hint, () => ({ ...known(), ...writtenIn(input.form) }));
  const follow = (): void => {
    const length = lengthOf(input.value);
    const isEnough = length >= MIN_PASSWORD;
    hint.classList.toggle("met", isEnough);
    if (length === 0) hint.textContent = advice;
    else if (!isEnough) hint.textContent = `${length} of at least ${MIN_PASSWORD} characters.`;
    else hint.textContent = `${length} characters: long enough.`;
    // One that is too short is refused however strong it is.
    ask(isEnough ? input.value : undefined);
  };
  input.addEventListener("input", follow);
  input.form?.addEventListener("reset", () => queueMicrotask(follow));
  // What is sent is judged by the answer, and nothing more is asked about it.
  input.form?.addEventListener("submit", () => ask(undefined));
}

/** What the person has written of themselves beside the password; an empty field says nothing. */
function writtenIn(form: HTMLFormElement | null): Known {
  const of = (name: string): string | undefined => {
    const input = form?.querySelector<HTMLInputElement>(`input[name=${name}]`);
    return input == null || input.value === "" ? undefined : input.value;
  };
  const [email, name] = [of("email"), of("name")];
  return { ...(email !== undefined && { email }), ...(name !== undefined && { name }) };
}
