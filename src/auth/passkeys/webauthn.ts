import type { AttestationObject } from "@simplewebauthn/server/helpers";

/** loadWebAuthn loads the optional package at its first use. Throws only if it is not installed, and says what to install. */
export async function loadWebAuthn(): Promise<
  typeof import("@simplewebauthn/server") & {
    readonly helpers: typeof import("@simplewebauthn/server/helpers");
  }
> {
  try {
    const [server, helpers] = await Promise.all([
      import("@simplewebauthn/server"),
      import("@simplewebauthn/server/helpers"),
    ]);
    return { ...server, helpers };
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new Error("@simplewebauthn/server is not installed: npm install @simplewebauthn/server", {
      cause: error,
    });
  }
}

/**
 * isUnattested tells whether nobody but the credential's own key vouches for an authenticator, which is all that a client passes on
 * where attestation `none` was asked for (Web Authentication Level 3 section 5.1.3). Everything else brings certificates of the
 * sender's choice, and whoever verifies those asks the addresses in them for revocations.
 */
export function isUnattested(attestation: AttestationObject): boolean {
  const format = attestation.get("fmt");
  if (format === "none") return true;
  return format === "packed" && attestation.get("attStmt").get("x5c") === undefined;
}
