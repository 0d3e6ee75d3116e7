import { api } from "./api.ts";
import { byId } from "./dom.ts";
import { onSubmit, showProblem, showState } from "./forms.ts";
import { hasPasskeys, provePasskey } from "./passkeys.ts";
import { askSecondFactor, bindSecondFactor } from "./second-factor.ts";

const STATES = ["ask", "factor"] as const;
const done = (): void => location.assign("/auth/account");

const form = onSubmit("form", async ({ email, password }) => {
  const answer = await api("POST", "/api/auth/login", { email, password, mode: "cookie" });
  if (!answer.ok) return answer;
  if (answer.data["mfaRequired"] === true) {
    askSecondFactor(answer.data, () => showState(STATES, "factor"));
  } else done();
  return undefined;
});

async function signInByPasskey(): Promise<void> {
  const options = await api("POST", "/api/auth/passkeys/login/options", {});
  const credential = options.ok ? await provePasskey(options.data) : undefined;
  if (credential === undefined) {
    showProblem(form, options.ok ? "The passkey was not used." : options.error);
    return;
  }
  const answer = await api("POST", "/api/auth/passkeys/login/verify", {
    credential,
    mode: "cookie",
  });
  if (answer.ok) done();
  else showProblem(form, "This passkey does not open an account here.");
}

const passkey = byId("passkey", HTMLButtonElement);
passkey.hidden = !hasPasskeys();
passkey.addEventListener("click", () => void signInByPasskey());
bindSecondFactor(done);
showState(STATES, "ask");
