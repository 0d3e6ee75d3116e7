import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from "jose";

/** How the token endpoint misbehaves: a lie each, on top of an answer that would be right. */
export interface Lie {
  /** Claims of the ID token; undefined removes one. */
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly signed?: "with a key of nobody" | "by nobody" | "with the client secret" | "and changed";
  /** The body of the token response. */
  readonly body?: Readonly<Record<string, unknown>>;
  readonly raw?: { readonly status: number; readonly text: string; readonly location?: string };
  /** Does not answer at all. */
  readonly silent?: boolean;
}

/** A provider whose token endpoint says what a test wants: what a real one cannot be made to say. */
export interface LyingProvider {
  readonly issuer: string;
  lie: Lie;
  /** Metadata, on top of those that are right. */
  metadata: Readonly<Record<string, unknown>>;
  /** answerTo is the URL that a browser would come back with from an authorization URL. */
  readonly answerTo: (url: string) => URL;
  readonly stop: () => Promise<void>;
}

export async function startLyingProvider(clientSecret: string): Promise<LyingProvider> {
  const keys = await generateKeyPair("RS256", { extractable: true });
  const others = await generateKeyPair("RS256");
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: "k", alg: "RS256", use: "sig" };
  let nonce = "";
  const server = createServer((request, response) => {
    const json = (value: unknown, status = 200): void => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(value));
    };
    const token = async (): Promise<void> => {
      const { lie } = self;
      if (lie.silent === true) return;
      if (lie.raw !== undefined) {
        const { status, text, location } = lie.raw;
        const to = location === undefined ? {} : { location };
        response.writeHead(status, { "content-type": "application/json", ...to });
        response.end(text);
        return;
      }
      const id_token = await idToken({ ...rightClaims(), ...lie.claims }, lie.signed);
      json({ access_token: "at", token_type: "bearer", id_token, ...lie.body });
    };
    if (request.url === "/.well-known/openid-configuration") json(rightMetadata());
    else if (request.url === "/jwks") json({ keys: [jwk] });
    else if (request.url === "/token") void token();
    else json({}, 404);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const rightMetadata = () => ({
    issuer,
    authorization_endpoint: `${issuer}/auth`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    response_types_supported: ["code"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["RS256"],
    ...self.metadata,
  });
  const rightClaims = () => {
    const now = Math.floor(Date.now() / 1_000);
    const person = { email: "ada@people.example", email_verified: true };
    return { iss: issuer, sub: "ada", aud: "app", iat: now, exp: now + 60, nonce, ...person };
  };
  const idToken = async (
    claims: Readonly<Record<string, unknown>>,
    signed: Lie["signed"],
  ): Promise<string> => {
    const sign = (alg: string, key: CryptoKey | Uint8Array): Promise<string> =>
      new SignJWT({ ...claims }).setProtectedHeader({ alg, kid: "k" }).sign(key);
    if (signed === "by nobody") return new UnsecuredJWT({ ...claims }).encode();
    if (signed === "with a key of nobody") return sign("RS256", others.privateKey);
    if (signed === "with the client secret") {
      return sign("HS256", new TextEncoder().encode(clientSecret));
    }
    const right = await sign("RS256", keys.privateKey);
    if (signed === undefined) return right;
    const [head, , signature] = right.split(".");
    const other = Buffer.from(JSON.stringify({ ...claims, sub: "admin" })).toString("base64url");
    return `${head}.${other}.${signature}`;
  };
  const self: LyingProvider = {
    issuer,
    lie: {},
    metadata: {},
    answerTo: (url) => {
      const { searchParams } = new URL(url);
      nonce = searchParams.get("nonce") ?? "";
      const back = new URL(searchParams.get("redirect_uri") ?? "");
      back.searchParams.set("code", "c");
      back.searchParams.set("state", searchParams.get("state") ?? "");
      return back;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return self;
}
