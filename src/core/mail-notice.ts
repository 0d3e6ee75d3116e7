/** What changed of an account, as its owner is told. */
export type CredentialChange =
  | "password"
  | "email"
  | "totp added"
  | "totp removed"
  | "recovery codes renewed"
  | "passkey added"
  | "passkey removed"
  | "provider linked"
  | "provider unlinked";

/** What a mail tells the owner of an account. A `token` is written into its link, behind the #, and nowhere else. Times are milliseconds since the epoch. */
export type MailNotice = { readonly to: string; readonly name: string } & (
  | { readonly kind: "verify"; readonly token: string; readonly expiresAt: number }
  | { readonly kind: "address-taken" }
  | { readonly kind: "reset"; readonly token: string; readonly expiresAt: number }
  | { readonly kind: "magic-link"; readonly token: string; readonly expiresAt: number }
  | {
      readonly kind: "confirm-change";
      /** The mailbox that this mail goes to: the address that is left, or the one that comes. */
      readonly side: "old" | "new";
      readonly newEmail: string;
      readonly token: string;
      readonly expiresAt: number;
    }
  | { readonly kind: "invite"; readonly token: string; readonly expiresAt: number }
  | { readonly kind: "locked"; readonly at: number; readonly address: string | undefined }
  | {
      readonly kind: "new-device";
      readonly at: number;
      readonly address: string | undefined;
      readonly agent: string | undefined;
    }
  | { readonly kind: "credential-changed"; readonly what: CredentialChange; readonly at: number }
  | { readonly kind: "factors-reset"; readonly effectiveAt: number }
  | { readonly kind: "deletion-scheduled"; readonly deleteAt: number }
  | { readonly kind: "key-leaked"; readonly keyName: string; readonly at: number }
);
