import { byId } from "./dom.ts";

/** As the server's default policy; the server decides. */
const MIN_PASSWORD = 15;

/** bindPasswords lets the passwords of a page be shown, and counts the characters of new ones. */
export function bindPasswords(): void {
  for (const row of document.querySelectorAll<HTMLElement>(".password-row")) {
    const input = row.querySelector("input");
    const toggle = row.querySelector("button");
    if (input === null || toggle === null) continue;
    bindToggle(input, toggle);
    if (input.autocomplete === "new-password") bindCount(input);
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

function bindCount(input: HTMLInputElement): void {
  const hint = byId(`${input.id}-hint`, HTMLParagraphElement);
  const advice = hint.textContent;
  const follow = (): void => {
    // In code points, as the server counts.
    const length = Array.from(input.value).length;
    hint.classList.toggle("met", length >= MIN_PASSWORD);
    if (length === 0) hint.textContent = advice;
    else if (length < MIN_PASSWORD) {
      hint.textContent = `${length} of at least ${MIN_PASSWORD} characters.`;
    } else hint.textContent = `${length} characters: long enough.`;
  };
  input.addEventListener("input", follow);
  input.form?.addEventListener("reset", () => queueMicrotask(follow));
}
