import { api } from "./api.ts";
import { onSubmit, showState } from "./forms.ts";
import { declined, hasPasskeys, provePasskey } from "./passkeys.ts";
import { bindPasswords } from "./passwords.ts";
import { askSecondFactor, bindSecondFactor } from "./second-factor.ts";

const STATES = ["ask", "factor"] as const;
const done = (): void => location.assign("/auth/account");

onSubmit("form", async ({ email, password }) => {
  const answer = await api("POST", "/api/auth/login", { email, password, mode: "cookie" });
  if (!answer.ok) return answer;
  if (answer.data["mfaRequired"] === true) {
    askSecondFactor(answer.data, () => showState(STATES, "factor"));
  } else done();
  return undefined;
});

const passkey = onSubmit("passkey", async () => {
  const options = await api("POST", "/api/auth/passkeys/login/options", {});
  if (!options.ok) return options;
  const credential = await provePasskey(options.data);
  if (credential === undefined) return declined;
  const path = "/api/auth/passkeys/login/verify";
  const answer = await api("POST", path, { credential, mode: "cookie" });
  if (answer.ok) done();
  return answer.code === "INVALID_CREDENTIALS"
    ? { ...answer, error: "This passkey does not open an account here." }
    : answer;
});
passkey.hidden = !hasPasskeys();

bindSecondFactor(done);
bindPasswords();
showState(STATES, "ask");
