import { z } from "zod";
import type { Bulwark } from "../bulwark/index.ts";
import { type AnyRoute, UnavailableError } from "../core/index.ts";

/** Probes send addresses, not names, and must be answered when everything else is refused. */
const PROBE = { requireAuth: false, insecureAnyHost: true, insecureUnlimited: true } as const;

export function healthRoutes(bulwark: Bulwark): readonly AnyRoute[] {
  const { database, state, handlers } = bulwark;
  const { BaseAPIHandler } = handlers;

  const live = BaseAPIHandler.GET(() => ({ status: "ok" }), {
    ...PROBE,
    path: "/health/live",
    response: z.strictObject({ status: z.literal("ok") }),
    summary: "The process answers",
  });

  const ready = BaseAPIHandler.GET(
    async () => {
      if (bulwark.isDraining()) throw new UnavailableError("the server is closing");
      try {
        await Promise.all([database.ping(), state.get("health")]);
      } catch (cause) {
        throw new UnavailableError("the database or the state does not answer", { cause });
      }
      return { status: "ok", checks: { database: "ok", state: "ok" } };
    },
    {
      ...PROBE,
      path: "/health/ready",
      response: z.strictObject({
        status: z.literal("ok"),
        checks: z.record(z.string(), z.literal("ok")),
      }),
      summary: "All that a request needs answers",
    },
  );

  return [live, ready];
}
