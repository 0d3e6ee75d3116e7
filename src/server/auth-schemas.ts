import { z } from "zod";
import { User } from "./user-schema.ts";

/** Longer texts are no address, name, password or token; they are refused before anything looks at them. */
export const Email = z.string().max(320);
export const Password = z.string().max(1_024);
export const Name = z.string().max(400);
export const Token = z.string().max(512);
export const Code = z.string().max(64);
export const Mode = z.enum(["token", "cookie"]);

/** What an authenticator signed. Its shape is checked by who verifies it; here only its size is. */
export const Credential = z.looseObject({ id: z.string().max(2_048), type: z.string().max(32) });

export const FactorProof = z.discriminatedUnion("method", [
  z.strictObject({ method: z.literal("totp"), code: Code }),
  z.strictObject({ method: z.literal("recovery"), code: Code }),
  z.strictObject({ method: z.literal("passkey"), credential: Credential }),
]);

const Methods = z.array(z.enum(["totp", "recovery", "passkey"]));

/** What a sign-in answers: tokens, or the user alone where cookies carry the session. */
export const SignedIn = z.strictObject({
  accessToken: z.string().optional(),
  refreshToken: z.string().optional(),
  expiresIn: z.int().positive().optional().meta({ description: "Seconds." }),
  user: User,
  deviceToken: z.string().optional(),
});

export const MfaRequired = z.strictObject({
  mfaRequired: z.literal(true),
  challengeToken: z.string(),
  methods: Methods,
});

export const PERSON = { email: "ada@example.com", password: "correct horse battery staple" };
