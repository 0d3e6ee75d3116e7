import { type Answer, api } from "./api.ts";
import { byId } from "./dom.ts";
import { onSubmit, showState, takeToken } from "./forms.ts";
import { bindPasswords } from "./passwords.ts";
import { askSecondFactor, bindSecondFactor } from "./second-factor.ts";

/** What each mailed link is posted to, and what comes after. The page's main element names its kind. */
const kind = byId("main", HTMLElement).dataset["kind"] ?? "";
const STATES = [...document.querySelectorAll<HTMLElement>(".card")].map(({ id }) => id);
const show = (state: string): void => showState(STATES, state);
let token = takeToken();

const PATHS: Readonly<Record<string, string>> = {
  verify: "/api/auth/email/verify",
  email: "/api/auth/email/verify",
  reset: "/api/auth/password/reset",
  invite: "/api/auth/invite/accept",
  "magic-link": "/api/auth/magic-link/verify",
};

onSubmit("form", async (values) => {
  const answer = await api("POST", PATHS[kind] ?? "", { token, ...values });
  if (answer.ok) conclude(answer.data);
  else if (answer.status === 404 || answer.code === "INVALID_CREDENTIALS") finish("spent");
  else return answer;
  return undefined;
});

/** Some links are asked for here too. */
if (document.getElementById("request-form") !== null) {
  onSubmit("request-form", async ({ email }) => {
    const answer =
      kind === "verify"
        ? await api("POST", "/api/auth/email/resend", { email })
        : await api("POST", "/api/auth/magic-link", { email, mode: "cookie" });
    if (answer.ok) show("mailed");
    return answer;
  });
}

function conclude(data: Answer["data"]): void {
  if (data["mfaRequired"] === true) askSecondFactor(data, () => show("factor"));
  else if (kind === "magic-link") location.assign("/auth/account");
  else if (data["passwordRequired"] === true) finish("password");
  else finish(data["changed"] === false ? "half" : "done");
}

/** Nothing secret stays in a page that is done with it. */
function finish(state: string): void {
  token = "";
  for (const input of document.querySelectorAll("input")) input.value = "";
  show(state);
}

bindPasswords();
if (STATES.includes("factor")) bindSecondFactor(() => location.assign("/auth/account"));
// A link that is pasted over an open page changes the fragment alone, and loads nothing.
window.addEventListener("hashchange", () => {
  if (location.hash.length > 1) token = takeToken();
  show("ask");
});
show(token === "" ? "no-token" : "ask");
