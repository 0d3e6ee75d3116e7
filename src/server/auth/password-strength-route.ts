import { z } from "zod";
import type { Bulwark } from "../../bulwark/index.ts";
import { type AnyRoute, addressKey, ResponseBuilder } from "../../core/index.ts";
import { withRateLimit } from "../../rate-limit/index.ts";
import { Email, Name, Password, PERSON } from "../auth-schemas.ts";

const StrengthBody = z
  .strictObject({ password: Password, email: Email.optional(), name: Name.optional() })
  .meta({ examples: [PERSON] });

/**
 * passwordStrengthRoute is the meter beside a new password. It keeps nothing of what it is asked, and decides nothing. Its limit
 * is that of `register` by default, counted apart, so that whoever types for long may still register.
 */
export function passwordStrengthRoute({ handlers, passwords }: Bulwark): AnyRoute {
  const limited = withRateLimit({ requests: 30, window: "1m", keyGenerator: addressKey });
  return handlers.SignInHandler.POST(
    limited(async (context) => {
      const { password, ...known } = context.body as z.infer<typeof StrengthBody>;
      const { score, warning, suggestions } = await passwords.strength(password, known);
      const hints = warning === null ? suggestions : [warning, ...suggestions];
      return ResponseBuilder.success({ score, hints });
    }),
    {
      path: "/api/auth/password/strength",
      requireAuth: false,
      body: StrengthBody,
      response: z.strictObject({
        score: z.int().min(0).max(4).meta({ description: "0: guessed at once; 4: very strong." }),
        hints: z.array(z.string()),
      }),
      summary: "How strong a new password is, for a meter; nothing of it is kept",
    },
  );
}
