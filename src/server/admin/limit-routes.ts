import { z } from "zod";
import type { Bulwark } from "../../bulwark/index.ts";
import { type AnyRoute, ResponseBuilder } from "../../core/index.ts";
import { page } from "../page-query.ts";
import { ADMIN_ERRORS, adminAction } from "./admin-action.ts";
import { administrator } from "./administrator.ts";

const Limit = z
  .strictObject({
    name: z.string().meta({ examples: ["login"] }),
    requests: z.int().positive(),
    windowMs: z.int().positive(),
    algorithm: z.enum(["token-bucket", "gcra", "sliding-window-counter", "sliding-window-log"]),
    burst: z.int().positive().nullable(),
    onFailure: z.enum(["deny", "local", "insecureAllow"]),
    counts: z.string().meta({ description: "Whom it counts.", examples: ["address"] }),
    isHidden: z.boolean().meta({ description: "Whether no header tells of it." }),
  })
  .meta({ id: "Limit" });

const Overview = z
  .strictObject({
    limits: z.array(Limit),
    store: z.strictObject({ kind: z.enum(["memory", "redis"]), isLost: z.boolean() }),
    bans: z.enum(["on", "off"]),
    counters: z
      .strictObject({
        since: z.iso.datetime(),
        decided: z.int(),
        refused: z.array(z.strictObject({ policy: z.string(), count: z.int() })),
        failed: z.int().meta({ description: "Decisions that the store did not make." }),
        keys: z.int().meta({ description: "Keys in memory, or refused from memory." }),
        overflowed: z.int().meta({ description: "Counted in a shared place: a table was full." }),
        banned: z.int(),
      })
      .meta({ description: "Of the process that answers, since it started." }),
  })
  .meta({ id: "LimitOverview" });

const AddressBan = z
  .strictObject({
    network: z.string().meta({ description: "An address, or the /64 of one." }),
    until: z.iso.datetime(),
    step: z.int().positive().meta({ description: "Which one it is in a row." }),
    reason: z.string(),
  })
  .meta({ id: "AddressBan" });

const LiftBody = z
  .strictObject({
    address: z
      .string()
      .max(64)
      .optional()
      .meta({ description: "An IP address, or the network that a ban is shown as." }),
    key: z
      .string()
      .min(1)
      .max(512)
      .optional()
      .meta({ description: "As limits count it: a user's id, key:ID, mail:ADDRESS." }),
  })
  .refine((body) => (body.address === undefined) !== (body.key === undefined), {
    error: "Expected address or key.",
  })
  .meta({ examples: [{ address: "203.0.113.7" }] });

const BanBody = z
  .strictObject({
    address: z
      .string()
      .max(64)
      .meta({ description: "An IP address; one of IPv6 stands for its /64." }),
    duration: z.string().max(16).meta({ description: "Such as 1h." }),
    reason: z.string().min(1).max(200),
  })
  .meta({ examples: [{ address: "203.0.113.7", duration: "1h", reason: "scraper" }] });

const Lifted = z
  .strictObject({ key: z.string(), wasBanned: z.boolean() })
  .meta({ id: "LiftedLimit" });

const BanQuery = z.strictObject(page);

/** What limits stand, whom they keep out, and how an administrator lets somebody in again. */
export function limitRoutes(bulwark: Bulwark): readonly AnyRoute[] {
  const { limits } = bulwark;
  const { AuthenticatedAPIHandler } = bulwark.handlers;
  const admin = administrator(bulwark);

  const overview = AuthenticatedAPIHandler.GET(
    admin(() => limits.overview()),
    {
      path: "/api/admin/limits",
      requireAuth: true,
      response: Overview,
      errors: ADMIN_ERRORS,
      summary: "The limits that stand, where they are kept, and what they decided",
    },
  );

  const bans = AuthenticatedAPIHandler.GET(
    admin(async (context) => {
      const query = context.query as z.infer<typeof BanQuery>;
      const found = await limits.bans(query);
      const rows = found.bans.map((ban) => ({ ...ban, until: new Date(ban.until).toISOString() }));
      return ResponseBuilder.paginated(rows, { ...query, total: found.total });
    }),
    {
      path: "/api/admin/limits/bans",
      requireAuth: true,
      query: BanQuery,
      response: z.array(AddressBan),
      errors: ADMIN_ERRORS,
      summary: "Addresses that are kept out now, the longest first",
    },
  );

  const lift = AuthenticatedAPIHandler.POST(
    adminAction(bulwark)((context) => {
      const { address, key = "" } = context.body as z.infer<typeof LiftBody>;
      return limits.lift(address === undefined ? { key } : { address }, context);
    }),
    {
      path: "/api/admin/limits/lift",
      requireAuth: true,
      body: LiftBody,
      response: Lifted,
      errors: ADMIN_ERRORS,
      summary: "End an address's ban and forget what was counted of it, or of a key",
    },
  );

  const ban = AuthenticatedAPIHandler.POST(
    adminAction(bulwark)(async (context) => {
      await limits.ban(context.body as z.infer<typeof BanBody>, context);
      return ResponseBuilder.created(null);
    }),
    {
      path: "/api/admin/limits/bans",
      requireAuth: true,
      body: BanBody,
      response: z.null(),
      status: 201,
      errors: [...ADMIN_ERRORS, "CONFLICT"],
      summary: "Keep an address out for a time",
    },
  );

  return [overview, bans, ban, lift];
}
