import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, type JWK } from "jose";
import { Provider } from "oidc-provider";

/** Who signs in at the provider, and how; or that they do not want to. */
export interface Login {
  readonly subject: string;
  readonly amr?: readonly string[];
  readonly acr?: string;
  /** The person presses "cancel", and the provider says so in these words. */
  readonly deny?: string;
}

export interface OidcClientSettings {
  readonly redirectUri: string;
  readonly clientId?: string;
  /** Undefined: a public client. */
  readonly clientSecret?: string | undefined;
  /** What the provider signs this client's ID tokens with. Default RS256. */
  readonly algorithm?: string;
}

/** A real OpenID provider on a loopback port. */
export interface OidcServer {
  readonly issuer: string;
  /** Claims by subject. Who is not here has an address of their own, which is verified. */
  readonly accounts: Map<string, Readonly<Record<string, unknown>>>;
  /** How often each path was asked. */
  readonly asked: Map<string, number>;
  /** signIn follows an authorization URL as a browser would, and returns the URL that the provider sends it back to. */
  readonly signIn: (url: string, login: Login, browser?: Browser) => Promise<URL>;
  /** stop closes the port; start opens the same one again. */
  readonly stop: () => Promise<void>;
  readonly start: () => Promise<void>;
}

/** A browser's cookies at the provider: with the same ones a second sign-in is silent. */
export type Browser = Map<string, string>;

let keys: Promise<readonly JWK[]> | undefined;

/** Key pairs take a second to make; every server of a worker signs with the same ones. */
async function makeKeys(): Promise<readonly JWK[]> {
  return Promise.all(
    ["RS256", "ES256"].map(async (alg) => {
      const { privateKey } = await generateKeyPair(alg, { extractable: true });
      return { ...(await exportJWK(privateKey)), alg, use: "sig", kid: `test-${alg}` };
    }),
  );
}

/** startOidcServer starts a provider with one client. Its login page signs in whom the test's header names. */
export async function startOidcServer(client: OidcClientSettings): Promise<OidcServer> {
  const server = createServer();
  await listen(server, 0);
  const { port } = server.address() as AddressInfo;
  const issuer = `http://127.0.0.1:${port}`;
  const accounts: OidcServer["accounts"] = new Map();
  const asked: OidcServer["asked"] = new Map();
  keys ??= makeKeys();
  const provider: Provider = new Provider(
    issuer,
    configurationOf(client, accounts, await keys, () => provider),
  );
  provider.use(loginPage(provider));
  const handle = provider.callback();
  server.on("request", (request, response) => {
    const path = (request.url ?? "").split("?")[0] ?? "";
    asked.set(path, (asked.get(path) ?? 0) + 1);
    handle(request, response);
  });
  return {
    issuer,
    accounts,
    asked,
    signIn: (url, login, browser = new Map()) => follow(issuer, url, login, browser),
    start: () => listen(server, port),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const listen = (server: Server, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once("error", reject).listen(port, "127.0.0.1", () => resolve());
  });

function configurationOf(
  client: OidcClientSettings,
  accounts: OidcServer["accounts"],
  jwks: readonly JWK[],
  self: () => Provider,
): Readonly<Record<string, unknown>> {
  const { clientId = "bulwark", clientSecret, redirectUri, algorithm = "RS256" } = client;
  const claimsOf = (subject: string) => ({
    email: `${subject}@people.example`,
    email_verified: true,
    name: `Person ${subject}`,
    ...accounts.get(subject),
    sub: subject,
  });
  return {
    clients: [
      {
        client_id: clientId,
        redirect_uris: [redirectUri],
        response_types: ["code"],
        grant_types: ["authorization_code"],
        id_token_signed_response_alg: algorithm,
        ...(clientSecret === undefined
          ? { token_endpoint_auth_method: "none" }
          : { client_secret: clientSecret }),
      },
    ],
    jwks: { keys: jwks },
    cookies: { keys: ["a key of these tests"] },
    scopes: ["openid"],
    claims: {
      openid: ["sub", "amr"],
      email: ["email", "email_verified"],
      profile: ["name"],
      acr: null,
    },
    acrValues: ["urn:test:two"],
    enabledJWA: { idTokenSigningAlgValues: ["RS256", "ES256"] },
    pkce: { required: () => true },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_: unknown, { uid }: { uid: string }) => `/login/${uid}` },
    // The application's clock may be a year ahead of the provider's.
    ttl: {
      IdToken: 10 * 365 * 86_400,
      AccessToken: 600,
      AuthorizationCode: 60,
      Session: 86_400,
      Interaction: 600,
      Grant: 600,
    },
    findAccount: (_: unknown, subject: string) => ({
      accountId: subject,
      claims: () => claimsOf(subject),
    }),
    loadExistingGrant: async ({
      oidc,
    }: {
      oidc: { client: { clientId: string }; session: { accountId: string } };
    }) => {
      const grant = new (self().Grant)({
        accountId: oidc.session.accountId,
        clientId: oidc.client.clientId,
      });
      grant.addOIDCScope("openid email profile");
      await grant.save();
      return grant;
    },
  };
}

const LOGIN = "x-test-login";

function loginPage(provider: Provider): Parameters<Provider["use"]>[0] {
  return async (context, next) => {
    if (!context.path.startsWith("/login/")) return next();
    const { subject, amr, acr, deny } = JSON.parse(String(context.req.headers[LOGIN])) as Login;
    const result =
      deny === undefined
        ? { login: { accountId: subject, amr, acr } }
        : { error: "access_denied", error_description: deny };
    context.respond = false;
    await provider.interactionFinished(context.req, context.res, result);
  };
}

async function follow(issuer: string, from: string, login: Login, browser: Browser): Promise<URL> {
  let url = new URL(from);
  for (let steps = 0; steps < 10; steps += 1) {
    const cookie = [...browser].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await fetch(url, {
      redirect: "manual",
      headers: { cookie, [LOGIN]: JSON.stringify(login) },
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === "") browser.delete(name);
      else browser.set(name, value);
    }
    const location = response.headers.get("location");
    if (location === null) {
      throw new Error(`the provider answered ${response.status}: ${await response.text()}`);
    }
    url = new URL(location, url);
    if (url.origin !== issuer) return url;
  }
  throw new Error("the provider sends the browser in a circle");
}
