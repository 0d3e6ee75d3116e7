import { apiHeaders, type HeaderOptions } from "./api-headers.ts";

/**
 * setSecurityHeaders sets the headers of {@link apiHeaders} on a Response and returns it. A header that the response has
 * already is replaced, except Content-Security-Policy and Cache-Control, which a page sets for itself.
 * Throws a TypeError only if the response's headers cannot be changed, as those of a fetched one.
 */
export function setSecurityHeaders<R extends { readonly headers: Headers }>(
  response: R,
  options: HeaderOptions = {},
): R {
  for (const [name, value] of Object.entries(apiHeaders(options))) {
    const isPagesOwn = name === "content-security-policy" || name === "cache-control";
    if (!(isPagesOwn && response.headers.has(name))) response.headers.set(name, value);
  }
  return response;
}

/** securityHeaders returns a Response with the same status and body, and the headers of {@link setSecurityHeaders}. */
export function securityHeaders(response: Response, options: HeaderOptions = {}): Response {
  const { status, statusText } = response;
  // A copy of the headers: a host's own Response class may keep those that it is given.
  const headers = new Headers(response.headers);
  return setSecurityHeaders(new Response(response.body, { status, statusText, headers }), options);
}
