import { z } from "zod";
import type { Bulwark } from "../../bulwark/index.ts";
import type { AnyRoute } from "../../core/index.ts";
import { answerSignIn, personOf } from "../auth-answers.ts";
import { SignedIn } from "../auth-schemas.ts";

const MyTenant = z
  .strictObject({ id: z.uuid(), name: z.string(), current: z.boolean() })
  .meta({ id: "MyTenant" });

/** tenantRoutes let a person see which tenants they belong to, and act in another one. */
export function tenantRoutes(bulwark: Bulwark): readonly AnyRoute[] {
  const { tenantSwitch } = bulwark;
  const { AuthenticatedAPIHandler } = bulwark.handlers;

  const list = AuthenticatedAPIHandler.GET((context) => tenantSwitch.list(personOf(context)), {
    path: "/api/auth/tenants",
    requireAuth: true,
    response: z.array(MyTenant),
    summary: "The tenants that one belongs to",
  });

  const change = AuthenticatedAPIHandler.POST(
    async (context) => {
      const { tenantId } = context.body;
      return answerSignIn(await tenantSwitch.switch(personOf(context), tenantId, context), context);
    },
    {
      path: "/api/auth/tenants/switch",
      requireAuth: true,
      body: z
        .strictObject({ tenantId: z.string().max(64).nullable() })
        .meta({ examples: [{ tenantId: "01a20cea-28b8-727a-9362-1e88e86bbf2d" }] }),
      response: SignedIn,
      errors: ["NOT_FOUND"],
      summary: "Act in another tenant; the session goes on under a new id",
    },
  );

  return [list, change];
}
