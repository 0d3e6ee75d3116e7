import { api } from "./api.ts";
import { byId } from "./dom.ts";
import { onSubmit, showFaults, showState, takeToken } from "./forms.ts";
import { oidcRefusal } from "./oidc.ts";
import { declined, hasPasskeys, provePasskey } from "./passkeys.ts";
import { bindPasswords } from "./passwords.ts";
import { askSecondFactor, bindSecondFactor } from "./second-factor.ts";

const STATES = ["ask", "factor"] as const;
/** What a sign-in at a provider came back with: a second factor to be proved, or why it was refused. */
const arrived = new URLSearchParams(takeToken());
const challengeToken = arrived.get("challenge");
const done = (): void => location.assign(pathOn(arrived.get("returnTo")) ?? "/auth/account");

/** A path of this site, as it came; whoever wrote the link wrote the path too. */
function pathOn(path: string | null): string | undefined {
  if (path === null || !path.startsWith("/") || !URL.canParse(path, location.origin)) return;
  const url = new URL(path, location.origin);
  return url.origin === location.origin ? url.href : undefined;
}

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
if (challengeToken !== null) {
  const methods = (arrived.get("methods") ?? "").split(",");
  askSecondFactor({ challengeToken, methods }, () => showState(STATES, "factor"));
} else {
  showState(STATES, "ask");
  const refusal = oidcRefusal(arrived.get("error"));
  if (refusal !== undefined) showFaults(byId("form", HTMLFormElement), [], refusal);
}
