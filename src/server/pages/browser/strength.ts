import { api } from "./api.ts";
import { element } from "./dom.ts";

/** What is known of the person whose password it is; it weighs nothing in a password. */
export interface Known {
  readonly email?: string | undefined;
  readonly name?: string | undefined;
}

/** How long the keys rest before the server is asked. */
const REST_MS = 500;
const WORDS = ["very weak", "weak", "fair", "good", "strong"] as const;
const BARS = 4;

/** strengthMeter makes a meter and puts it behind `place`; `ask` shows the strength of a password, and nothing for undefined. */
export function strengthMeter(
  place: HTMLElement,
  known: () => Known,
): (password: string | undefined) => void {
  const text = element("p", { class: "hint", role: "status" });
  const bars = Array.from({ length: BARS }, () => element("span"));
  const meter = element(
    "div",
    { class: "strength", hidden: true },
    element("div", { class: "bars", "aria-hidden": "true" }, ...bars),
    text,
  );
  place.after(meter);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asked = 0;

  const show = async (password: string): Promise<void> => {
    asked += 1;
    const mine = asked;
    const answer = await api("POST", "/api/auth/password/strength", { password, ...known() });
    // Only the last question counts; a meter that has no answer says nothing.
    if (mine !== asked) return;
    meter.hidden = !answer.ok;
    if (!answer.ok) return;
    const { score, hints } = answer.data as { score: number; hints: readonly string[] };
    meter.dataset["score"] = String(score);
    text.textContent = [`Strength: ${WORDS[score] ?? ""}.`, ...hints.slice(0, 2)].join(" ");
  };

  return (password) => {
    clearTimeout(timer);
    if (password !== undefined) {
      timer = setTimeout(() => void show(password), REST_MS);
      return;
    }
    asked += 1;
    meter.hidden = true;
    text.textContent = "";
  };
}
