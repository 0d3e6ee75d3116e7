import { type Answer, api } from "./api.ts";
import { byId } from "./dom.ts";
import { onSubmit, showFaults } from "./forms.ts";
import { declined, hasPasskeys, provePasskey } from "./passkeys.ts";

let settle: ((proved: boolean) => void) | undefined;

/** withStepUp calls the API, and where that needs a more recent proof asks for one and calls again. */
export async function withStepUp(method: string, path: string, body?: unknown): Promise<Answer> {
  const answer = await own(method, path, body);
  if (answer.code !== "REAUTHENTICATION_REQUIRED") return answer;
  if (await askForProof()) return own(method, path, body);
  return { ...answer, error: "Nothing was changed: it needs a proof that it is you." };
}

/** own calls the API as the person who is signed in, and leaves for the sign-in where the session has ended. */
export async function own(method: string, path: string, body?: unknown): Promise<Answer> {
  const answer = await api(method, path, body);
  if (answer.code === "UNAUTHORIZED" || answer.code === "TOKEN_EXPIRED") {
    location.assign("/auth/login");
  }
  return answer;
}

async function askForProof(): Promise<boolean> {
  const factors = await own("GET", "/api/auth/mfa");
  const methods = (factors.data["methods"] ?? []) as readonly string[];
  const needsSecond = methods.length > 0;
  byId("step-up-password-form", HTMLFormElement).hidden = needsSecond;
  byId("step-up-code-form", HTMLFormElement).hidden = !methods.includes("totp");
  byId("step-up-passkey", HTMLFormElement).hidden = !methods.includes("passkey") || !hasPasskeys();
  for (const form of document.querySelectorAll<HTMLFormElement>("#step-up form")) {
    showFaults(form, [], "");
  }
  byId("step-up", HTMLDialogElement).showModal();
  return new Promise((resolve) => {
    settle = resolve;
  });
}

function close(proved: boolean): void {
  for (const input of document.querySelectorAll<HTMLInputElement>("#step-up input"))
    input.value = "";
  byId("step-up", HTMLDialogElement).close();
  settle?.(proved);
  settle = undefined;
}

/** bindStepUp runs the dialog that asks who it is. */
export function bindStepUp(): void {
  const prove = async (proof: unknown): Promise<Answer> => {
    const answer = await own("POST", "/api/auth/step-up", proof);
    if (answer.ok) close(true);
    return answer.code === "INVALID_CREDENTIALS"
      ? { ...answer, error: "This does not prove it. Try again." }
      : answer;
  };
  onSubmit("step-up-password-form", ({ password }) => prove({ password }));
  onSubmit("step-up-code-form", ({ code }) => prove({ method: "totp", code }));
  onSubmit("step-up-passkey", async () => {
    const options = await api("POST", "/api/auth/step-up/options", {});
    if (!options.ok) return options;
    const credential = await provePasskey(options.data);
    return credential === undefined ? declined : prove({ method: "passkey", credential });
  });
  byId("step-up-cancel", HTMLButtonElement).addEventListener("click", () => close(false));
  byId("step-up", HTMLDialogElement).addEventListener("cancel", () => close(false));
}
