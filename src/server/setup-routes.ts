import { z } from "zod";
import type { Bulwark } from "../bulwark/index.ts";
import { type AnyRoute, ResponseBuilder } from "../core/index.ts";
import { User } from "./user-schema.ts";

const SetupBody = z.strictObject({
  token: z.string().max(128),
  email: z.string().max(320),
  password: z.string().max(1_024),
  name: z.string().max(400),
});

export function setupRoutes({ firstAdmin, handlers }: Bulwark): readonly AnyRoute[] {
  const setup = handlers.SignInHandler.POST(
    async (context) => {
      const { token, ...input } = context.body;
      const user = await firstAdmin.redeem(token, input, context);
      return ResponseBuilder.created({ user });
    },
    {
      path: "/setup",
      requireAuth: false,
      limits: ["login"],
      body: SetupBody,
      response: z.strictObject({ user: User }),
      status: 201,
      errors: ["NOT_FOUND", "CONFLICT"],
      summary: "Make the first administrator, by the link of a development start",
    },
  );
  return [setup];
}
