import { z } from "zod";
import type { Bulwark } from "../bulwark/index.ts";
import type { AnyRoute } from "../core/index.ts";

/** Shorter than the time for which a successor is published before it signs: who kept the old set has read it anew by then. */
const MAX_AGE = 300;

const JwkSet = z.strictObject({
  keys: z.array(
    z.strictObject({
      kty: z.enum(["OKP", "EC"]),
      crv: z.enum(["Ed25519", "P-256"]),
      x: z.string(),
      y: z.string().optional(),
      kid: z.string(),
      alg: z.enum(["EdDSA", "ES256"]),
      use: z.literal("sig"),
    }),
  ),
});

/**
 * jwksRoutes serve GET /.well-known/jwks.json: the public keys of access tokens (RFC 7517 section 5), without the envelope. The list is
 * empty where HS256 alone signs.
 */
export function jwksRoutes({ handlers, tokens }: Bulwark): readonly AnyRoute[] {
  const headers = {
    "content-type": "application/jwk-set+json; charset=utf-8",
    "cache-control": `public, max-age=${MAX_AGE}`,
  };
  const keySet = handlers.BaseAPIHandler.GET(
    async () => new Response(JSON.stringify(await tokens.jwks()), { headers }),
    {
      path: "/.well-known/jwks.json",
      requireAuth: false,
      produces: ["application/jwk-set+json", "application/json"],
      response: JwkSet,
      summary: "The public keys that verify access tokens",
    },
  );
  return [keySet];
}
