import { sql } from "drizzle-orm";
import { expect } from "vitest";
import {
  Identities,
  type OidcConfig,
  type OidcOutcome,
  OidcProvider,
  type OidcProviderOptions,
  OidcSignIn,
  type OidcStart,
  resolveOidc,
} from "../../../src/auth/oidc/index.ts";
import { createKeyRing, generateSecret, Sealer } from "../../../src/crypto/index.ts";
import { testApp } from "../../support/app.ts";
import {
  type Browser,
  type Login,
  type OidcClientSettings,
  type OidcServer,
  startOidcServer,
} from "../../support/oidc-server.ts";

/** The origin of the application that these providers send people back to; nothing listens there. */
const ISSUER = "http://localhost:4999";
export const CLIENT_SECRET = "the secret of a client";
export const redirectUri = (name: string): string => `${ISSUER}/api/auth/oidc/${name}/callback`;

export const startServer = (
  name: string,
  settings: Partial<OidcClientSettings> = {},
): Promise<OidcServer> =>
  startOidcServer({ redirectUri: redirectUri(name), clientSecret: CLIENT_SECRET, ...settings });

/** What a sign-in that went well came to. */
export type SignedIn = Extract<OidcOutcome, { readonly intent: "sign-in" }>;

export interface OidcBench {
  readonly clock: { now(): number; advance(milliseconds: number): void };
  readonly provider: OidcProvider;
  readonly identities: Identities;
  readonly signIn: OidcSignIn;
  /** Changes of identities, as the hook for them was told. */
  readonly changes: unknown[];
  readonly start: (name: string, start?: Partial<OidcStart>) => Promise<Begun>;
  /** finish ends a sign-in: the query of the URL that came back, in the browser with these cookies. */
  readonly finish: (name: string, back: URL, cookies: string | null) => Promise<OidcOutcome>;
}

export interface Begun {
  readonly url: string;
  /** The Cookie header of the browser that began. */
  readonly cookies: string;
}

interface BenchOptions extends Partial<Omit<OidcProviderOptions, "clock">> {
  readonly clock?: OidcBench["clock"];
  readonly verification?: "off" | "required";
}

/** The clock tells the real time, as the providers' does, until a test moves it. */
function movableClock(): OidcBench["clock"] {
  let ahead = 0;
  return {
    now: () => Date.now() + ahead,
    advance: (milliseconds) => {
      ahead += milliseconds;
    },
  };
}

/** makeBench makes the services over the store of this worker's application, for these providers. */
export async function makeBench(
  config: OidcConfig,
  { verification = "off", clock = movableClock(), ...options }: BenchOptions = {},
): Promise<OidcBench> {
  const { bulwark } = await testApp();
  const { database, audit, registration } = bulwark;
  const problems: string[] = [];
  const providers = resolveOidc(config, "development", problems);
  if (problems.length > 0) throw new Error(problems.join("\n"));
  const changes: unknown[] = [];
  const provider = new OidcProvider({
    providers,
    issuer: ISSUER,
    database,
    sealer: new Sealer(createKeyRing([generateSecret()])),
    clock,
    insecureAllowLoopback: true,
    ...options,
  });
  const identities = new Identities({
    database,
    audit,
    clock,
    onChange: async (_tx, userId, change) => void changes.push({ userId, ...change }),
  });
  const accounts = registration;
  const signIn = new OidcSignIn({ provider, identities, accounts, audit, clock, verification });
  return {
    clock,
    provider,
    identities,
    signIn,
    changes,
    start: async (name, start = {}) => {
      const begun = await provider.start(name, { intent: "sign-in", mode: "cookie", ...start });
      return { url: begun.url, cookies: begun.cookie.split(";")[0] ?? "" };
    },
    finish: (name, back, cookies) => signIn.finish(name, back.search, cookies, {}),
  };
}

/** signIn goes the whole way, and expects a session to come of it. */
export async function signInAt(
  bench: OidcBench,
  server: OidcServer,
  name: string,
  login: Login,
  options: { readonly start?: Partial<OidcStart>; readonly browser?: Browser } = {},
): Promise<SignedIn> {
  const { url, cookies } = await bench.start(name, options.start);
  const back = await server.signIn(url, login, options.browser);
  const outcome = await bench.finish(name, back, cookies);
  if (outcome.intent !== "sign-in") throw new Error("the sign-in was a link");
  return outcome;
}

/** A refusal as its code and status. */
export const refusal = (code: string): unknown => expect.objectContaining({ code });

export async function countOf(table: "users" | "identities" | "one_time_tokens"): Promise<number> {
  const { query } = await testApp();
  const [row] = await query(sql.raw(`SELECT count(*)::int AS count FROM bulwark.${table}`));
  return Number(row?.["count"]);
}

/** Events of a type, the oldest first. */
export async function eventsOf(
  type: string,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const { query } = await testApp();
  return query(sql`SELECT * FROM bulwark.audit_events WHERE type = ${type} ORDER BY seq`);
}
