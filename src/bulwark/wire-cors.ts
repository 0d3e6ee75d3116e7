import { ConfigurationError, type CrossOriginPolicy } from "../core/index.ts";
import {
  type CORS,
  type CORSOptions,
  createCORS,
  isExactOrigin,
  originProblem,
} from "../cors/index.ts";

/** CORSConfig is what pages of the configured `origins` may do. */
export interface CORSConfig extends Omit<CORSOptions, "origins"> {}

/** wireCors makes the functions of the allow-list; without one no answer says a word of CORS. */
export const wireCors = (options: CORSOptions | undefined): CORS | undefined =>
  options === undefined ? undefined : createCORS(options);

/** checkCors returns the options of a configuration that names origins, and lists what is wrong with them. */
export function checkCors(
  origins: readonly string[] | undefined,
  config: CORSConfig,
  mode: string,
  problems: string[],
): CORSOptions | undefined {
  const options = { ...config, origins: origins ?? [] };
  if (config.credentials !== false) checkPlain(options.origins, "origins", mode, problems);
  try {
    createCORS(options);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    problems.push(
      ...error.problems.map((one) => (one.startsWith("origins") ? one : `cors.${one}`)),
    );
  }
  return options.origins.length === 0 ? undefined : options;
}

/**
 * csrfOriginsOf are the origins besides the issuer's whose pages may send our cookies: where none are named, the exact ones whose pages
 * may read answers with cookies. An origin is compared as a text: one with a path or in another spelling would never match.
 */
export function csrfOriginsOf(
  named: readonly string[] | undefined,
  cors: CORSOptions | undefined,
  mode: string,
  problems: string[],
): readonly string[] {
  if (named === undefined) {
    return cors === undefined || cors.credentials === false
      ? []
      : cors.origins.filter((origin) => isExactOrigin(origin));
  }
  for (const [index, origin] of named.entries()) {
    if (isExactOrigin(origin)) continue;
    const expected = originProblem(origin) ?? 'an exact origin such as "https://app.example.com"';
    const came = JSON.stringify(origin);
    problems.push(`csrfOrigins[${index}]: expected ${expected}, came ${came}`);
  }
  checkPlain(named, "csrfOrigins", mode, problems);
  return named;
}

const PLAIN = /^http:\/\/(?!(?:localhost|127\.0\.0\.1|\[::1\])(?::|$))/;

/** Whoever is on the way can write a page of plain http, and would read what a person's cookies open. */
function checkPlain(
  origins: readonly string[],
  field: string,
  mode: string,
  problems: string[],
): void {
  if (mode !== "production") return;
  for (const [index, origin] of origins.entries()) {
    if (!isExactOrigin(origin) || !PLAIN.test(origin)) continue;
    const came = JSON.stringify(origin);
    problems.push(`${field}[${index}]: expected an https origin in production, came ${came}`);
  }
}

/** isServedOrigin tells whether an origin's pages are served by the allow-list. */
export const isServedOrigin = (policy: CrossOriginPolicy | undefined, origin: string): boolean =>
  policy?.headersFor(origin) !== undefined;
