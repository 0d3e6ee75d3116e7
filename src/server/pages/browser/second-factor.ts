import { type Answer, api } from "./api.ts";
import { byId } from "./dom.ts";
import { onSubmit, showProblem } from "./forms.ts";
import { hasPasskeys, provePasskey } from "./passkeys.ts";

let challengeToken = "";

/** askSecondFactor shows the card of the second factor, with the methods that the account has. */
export function askSecondFactor(data: Answer["data"], show: () => void): void {
  challengeToken = String(data["challengeToken"]);
  const methods = data["methods"] as readonly string[];
  byId("factor-form", HTMLFormElement).hidden = !methods.includes("totp");
  byId("recovery-form", HTMLFormElement).hidden = !methods.includes("recovery");
  byId("factor-passkey", HTMLButtonElement).hidden = !methods.includes("passkey") || !hasPasskeys();
  show();
}

/** bindSecondFactor runs the card; `done` hears when the person is signed in. */
export function bindSecondFactor(done: () => void): void {
  const prove = async (proof: Readonly<Record<string, unknown>>): Promise<Answer> => {
    const answer = await api("POST", "/api/auth/mfa/challenge", { challengeToken, ...proof });
    if (answer.ok) done();
    return answer.code === "INVALID_CREDENTIALS"
      ? { ...answer, error: "This code does not work. Each works once; wait for the next one." }
      : answer;
  };
  onSubmit("factor-form", ({ code }) => prove({ method: "totp", code }));
  onSubmit("recovery-form", ({ code }) => prove({ method: "recovery", code }));
  byId("factor-passkey", HTMLButtonElement).addEventListener("click", () => {
    void provingPasskey(prove);
  });
}

async function provingPasskey(
  prove: (proof: Readonly<Record<string, unknown>>) => Promise<Answer>,
): Promise<void> {
  const form = byId("factor-form", HTMLFormElement);
  const options = await api("POST", "/api/auth/passkeys/login/options", { challengeToken });
  const credential = options.ok ? await provePasskey(options.data) : undefined;
  if (credential === undefined) {
    showProblem(form, options.ok ? "The passkey was not used." : options.error);
    form.hidden = false;
    return;
  }
  const answer = await prove({ method: "passkey", credential });
  if (!answer.ok) showProblem(form, answer.error);
}
