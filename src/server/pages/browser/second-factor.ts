import { type Answer, api } from "./api.ts";
import { byId } from "./dom.ts";
import { onSubmit } from "./forms.ts";
import { declined, hasPasskeys, provePasskey } from "./passkeys.ts";

let challengeToken = "";

const REFUSED = {
  totp: "This code does not work. Each works once: wait for the next one.",
  recovery: "This recovery code does not work. Each works once.",
  passkey: "This passkey does not work here.",
} as const;

/** askSecondFactor shows the card of the second factor, with the methods that the account has. */
export function askSecondFactor(data: Answer["data"], show: () => void): void {
  challengeToken = String(data["challengeToken"]);
  const methods = data["methods"] as readonly string[];
  byId("factor-form", HTMLFormElement).hidden = !methods.includes("totp");
  byId("recovery-form", HTMLFormElement).hidden = !methods.includes("recovery");
  byId("factor-passkey", HTMLFormElement).hidden = !methods.includes("passkey") || !hasPasskeys();
  show();
}

/** bindSecondFactor runs the card; `done` hears when the person is signed in. */
export function bindSecondFactor(done: () => void): void {
  const prove = async (proof: Readonly<Record<string, unknown>>): Promise<Answer> => {
    const answer = await api("POST", "/api/auth/mfa/challenge", { challengeToken, ...proof });
    if (answer.ok) done();
    return answer.code === "INVALID_CREDENTIALS"
      ? { ...answer, error: REFUSED[proof["method"] as keyof typeof REFUSED] }
      : answer;
  };
  onSubmit("factor-form", ({ code }) => prove({ method: "totp", code }));
  onSubmit("recovery-form", ({ code }) => prove({ method: "recovery", code }));
  onSubmit("factor-passkey", async () => {
    const options = await api("POST", "/api/auth/passkeys/login/options", { challengeToken });
    if (!options.ok) return options;
    const credential = await provePasskey(options.data);
    return credential === undefined ? declined : prove({ method: "passkey", credential });
  });
}
