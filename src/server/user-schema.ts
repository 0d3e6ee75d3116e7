import { z } from "zod";
import { ROLES } from "../access/index.ts";

/** What a user is told of a user. */
export const User = z
  .strictObject({
    id: z.uuid(),
    email: z.email(),
    name: z.string(),
    roles: z.array(z.string()).meta({ examples: [[...ROLES]] }),
  })
  .meta({ id: "User" });
