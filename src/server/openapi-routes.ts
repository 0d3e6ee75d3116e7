import type { Bulwark } from "../bulwark/index.ts";
import type { AnyRoute } from "../core/index.ts";
import { openApiDocument } from "../openapi/index.ts";

/**
 * openApiRoutes serve GET /openapi.json: the document itself, without the envelope, of `others` and of this route.
 * It is written once, when the routes are made.
 */
export function openApiRoutes(
  { handlers, issuer }: Bulwark,
  others: readonly AnyRoute[],
): readonly AnyRoute[] {
  const { BaseAPIHandler } = handlers;
  const headers = { "content-type": "application/json; charset=utf-8" };
  const document: AnyRoute = BaseAPIHandler.GET(() => new Response(text, { headers }), {
    path: "/openapi.json",
    requireAuth: false,
    produces: ["application/json"],
    summary: "This document, as OpenAPI 3.1",
  });
  const text = JSON.stringify(
    openApiDocument([...others, document], {
      title: "Bulwark reference API",
      version: BaseAPIHandler.kernel.version,
      servers: [issuer],
    }),
  );
  return [document];
}
