import { expireCookie, readCookie, setCookie } from "../auth/index.ts";
import { BaseAPIError, type Log, type RequestContext, readHeader } from "../core/index.ts";

/** The pages that a browser is sent back to where what it began at a provider did not work. */
export interface OidcPages {
  /** Asks for the second factor of a sign-in, and tells why one was refused. */
  readonly signIn: string;
  /** Tells why an identity was not linked. */
  readonly account: string;
}

type Begun = keyof OidcPages;

/** Remembers that a page began something, and what. It decides where a refusal is shown, and nothing else. */
const PAGE_COOKIE = "__Host-oidc-page";
/** Longer than a sign-in may take: who comes back too late is told so on a page. */
const PAGE_SECONDS = 3_600;

/** What a page says of a refusal. Anybody may write such a code into a link, so that each stands for a fixed text. */
const REASONS: Readonly<Record<string, string>> = {
  INVALID_REQUEST: "over",
  INVALID_CREDENTIALS: "not-proved",
  UNAUTHORIZED: "session-ended",
  FORBIDDEN: "refused",
  CONFLICT: "taken",
  EXTERNAL_SERVICE_ERROR: "unavailable",
};

/** rememberPage notes which page began, or that none did. */
export function rememberPage(begun: Begun | undefined, context: RequestContext): void {
  if (begun !== undefined) {
    context.header("set-cookie", setCookie(PAGE_COOKIE, begun, PAGE_SECONDS));
  } else if (pageOf(context) !== undefined) forgetPage(context);
}

/**
 * onPage runs the rest of a callback. What it throws is shown on the page that began, by a code in the fragment of its address;
 * where none did, and for a fault of our own, it is thrown on.
 */
export async function onPage<R>(
  run: () => Promise<R>,
  context: RequestContext,
  { pages, log }: { readonly pages?: OidcPages | undefined; readonly log: Log },
): Promise<R | Response> {
  const begun = pageOf(context);
  if (begun !== undefined) forgetPage(context);
  try {
    return await run();
  } catch (error) {
    const reason = error instanceof BaseAPIError ? REASONS[error.code] : undefined;
    if (pages === undefined || begun === undefined || reason === undefined) throw error;
    const { requestId } = context;
    if (reason === "unavailable") log.error({ requestId, err: error }, "a provider failed");
    return redirect(`${pages[begun]}#error=${reason}`);
  }
}

export const redirect = (location: string): Response =>
  new Response(null, { status: 303, headers: { location } });

const forgetPage = (context: RequestContext): void =>
  context.header("set-cookie", expireCookie(PAGE_COOKIE));

/** One that comes twice, or is none of ours, is nobody's word. */
function pageOf(context: RequestContext): Begun | undefined {
  const found = readCookie(readHeader(context, "cookie"), PAGE_COOKIE);
  const value = found === "ambiguous" ? undefined : found?.value;
  return value === "signIn" || value === "account" ? value : undefined;
}
