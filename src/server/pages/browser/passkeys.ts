import type { Answer } from "./api.ts";

/** WebAuthn's own JSON forms, which the server speaks. */
interface JsonPasskeys {
  parseCreationOptionsFromJSON(options: unknown): PublicKeyCredentialCreationOptions;
  parseRequestOptionsFromJSON(options: unknown): PublicKeyCredentialRequestOptions;
}

const forms = (): JsonPasskeys => PublicKeyCredential as unknown as JsonPasskeys;

/** hasPasskeys tells whether this browser can use passkeys here. */
export const hasPasskeys = (): boolean =>
  typeof PublicKeyCredential === "function" && "parseRequestOptionsFromJSON" in PublicKeyCredential;

/** What is shown where the person, or the browser, did not use a passkey. */
export const declined: Answer = {
  status: 0,
  ok: false,
  code: "DECLINED",
  error: "No passkey was used.",
  details: [],
  data: {},
};

/** createPasskey asks the authenticator for a new passkey; undefined where the person declined. */
export async function createPasskey(options: unknown): Promise<unknown> {
  try {
    const publicKey = forms().parseCreationOptionsFromJSON(options);
    return jsonOf(await navigator.credentials.create({ publicKey }));
  } catch {
    return undefined;
  }
}

/** provePasskey asks the authenticator to prove a passkey; undefined where the person declined. */
export async function provePasskey(options: unknown): Promise<unknown> {
  try {
    const publicKey = forms().parseRequestOptionsFromJSON(options);
    return jsonOf(await navigator.credentials.get({ publicKey }));
  } catch {
    return undefined;
  }
}

const jsonOf = (credential: Credential | null): unknown =>
  (credential as (Credential & { toJSON(): unknown }) | null)?.toJSON();
