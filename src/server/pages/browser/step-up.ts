import { type Answer, api } from "./api.ts";
import { byId } from "./dom.ts";
import { onSubmit, showProblem } from "./forms.ts";
import { hasPasskeys, provePasskey } from "./passkeys.ts";

let settle: ((proved: boolean) => void) | undefined;

/** withStepUp calls the API, and where that needs a more recent proof asks for one and calls again. */
export async function withStepUp(method: string, path: string, body?: unknown): Promise<Answer> {
  const answer = await api(method, path, body);
  if (answer.code !== "REAUTHENTICATION_REQUIRED") return answer;
  return (await askForProof()) ? api(method, path, body) : answer;
}

async function askForProof(): Promise<boolean> {
  const factors = await api("GET", "/api/auth/mfa");
  const methods = (factors.data["methods"] ?? []) as readonly string[];
  const needsSecond = methods.length > 0;
  byId("step-up-password-form", HTMLFormElement).hidden = needsSecond;
  byId("step-up-code-form", HTMLFormElement).hidden = !methods.includes("totp");
  byId("step-up-passkey", HTMLButtonElement).hidden =
    !methods.includes("passkey") || !hasPasskeys();
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
    const answer = await api("POST", "/api/auth/step-up", proof);
    if (answer.ok) close(true);
    return answer.code === "INVALID_CREDENTIALS"
      ? { ...answer, error: "That is not right." }
      : answer;
  };
  onSubmit("step-up-password-form", ({ password }) => prove({ password }));
  onSubmit("step-up-code-form", ({ code }) => prove({ method: "totp", code }));
  byId("step-up-passkey", HTMLButtonElement).addEventListener("click", () => {
    void (async () => {
      const options = await api("POST", "/api/auth/step-up/options", {});
      const credential = options.ok ? await provePasskey(options.data) : undefined;
      const form = byId("step-up-code-form", HTMLFormElement);
      if (credential === undefined) showProblem(form, "The passkey was not used.");
      else await prove({ method: "passkey", credential });
    })();
  });
  byId("step-up-cancel", HTMLButtonElement).addEventListener("click", () => close(false));
  byId("step-up", HTMLDialogElement).addEventListener("cancel", () => close(false));
}
