import type { MfaChallenge, SignedIn } from "../auth/index.ts";
import { BROWSER_COOKIE, DEVICE_COOKIE, readCookie, setCookie } from "../auth/index.ts";
import type { Bulwark } from "../bulwark/index.ts";
import {
  type APIResult,
  BaseAPIError,
  ForbiddenError,
  type RequestContext,
  ResponseBuilder,
  readHeader,
  type UserPrincipal,
} from "../core/index.ts";
import { randomText } from "../crypto/index.ts";

/** answerSignIn gives a client what it asked for: tokens in the body, or cookies and nothing of them in the body. */
export function answerSignIn(
  result: SignedIn | MfaChallenge,
  context: RequestContext,
): APIResult<unknown> {
  if (result.mode === "mfa") {
    const { challengeToken, methods } = result;
    return ResponseBuilder.success({ mfaRequired: true, challengeToken, methods });
  }
  if (result.mode === "cookie") {
    for (const cookie of result.cookies) context.header("set-cookie", cookie);
    return ResponseBuilder.success({ user: result.user });
  }
  const { mode: _mode, ...answer } = result;
  return ResponseBuilder.success(answer);
}

/** signInRequest is how a client wants to be signed in; a cookie sign-in from another site's page is refused here, before any work. */
export function signInRequest(
  bulwark: Bulwark,
  context: RequestContext,
  body: {
    readonly mode?: "token" | "cookie" | undefined;
    readonly deviceToken?: string | undefined;
  },
): { readonly mode: "token" | "cookie"; readonly deviceToken: string | undefined } {
  const mode = body.mode ?? "token";
  checkMode(bulwark, context)(mode);
  return { mode, deviceToken: body.deviceToken ?? cookieOf(context, DEVICE_COOKIE) };
}

/** checkMode refuses to set cookies for a page of another site. */
export const checkMode =
  (bulwark: Bulwark, context: RequestContext) =>
  (mode: "token" | "cookie"): void => {
    if (mode === "cookie") bulwark.checkCrossSite(context);
  };

/** cookieOf reads a cookie of ours; one that comes twice is refused, since it cannot be told whose it is. */
export function cookieOf(context: RequestContext, name: string): string | undefined {
  const found = readCookie(readHeader(context, "cookie"), name);
  if (found === "ambiguous") {
    throw new BaseAPIError("INVALID_REQUEST", "A cookie came twice, or is none of ours.");
  }
  return found?.value;
}

/** browserOf is the secret by which a browser proves that it began something; one that has none gets it. */
export function browserOf(context: RequestContext): string {
  const known = cookieOf(context, BROWSER_COOKIE);
  if (known !== undefined) return known;
  const secret = randomText(32);
  context.header("set-cookie", setCookie(BROWSER_COOKIE, secret, 24 * 60 * 60));
  return secret;
}

/** personOf is the signed-in person of a request. Throws a ForbiddenError only for an API key, which is nobody's presence. */
export function personOf(context: { readonly principal: unknown }): UserPrincipal {
  const principal = context.principal as UserPrincipal | { readonly kind: string };
  if (principal.kind === "user") return principal as UserPrincipal;
  throw new ForbiddenError("A key cannot do this.");
}
