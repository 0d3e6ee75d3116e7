import { z } from "zod";
import type { KeyOwner } from "../api-keys/index.ts";
import type { Bulwark } from "../bulwark/index.ts";
import {
  type AnyRoute,
  JSON_LIMITS,
  NotFoundError,
  parseJson,
  type RequestContext,
  ResponseBuilder,
  type UserPrincipal,
  validate,
} from "../core/index.ts";
import { personOf } from "./auth-answers.ts";

const KeyName = z.string().max(400);
const Duration = z
  .string()
  .max(16)
  .meta({ examples: ["90d"] });
const Scope = z.string().max(128);
const Address = z.string().max(64);

const Limit = z.strictObject({
  name: z.string().max(64),
  requests: z.int().positive(),
  window: Duration,
});

const NewKeyBody = z
  .strictObject({
    name: KeyName,
    scopes: z.array(Scope).max(100),
    expiresIn: Duration.optional().meta({ description: "How long it lives. Default 365d." }),
    allowedAddresses: z
      .array(Address)
      .min(1)
      .max(100)
      .optional()
      .meta({ description: "Addresses and CIDR ranges from which it is accepted. Default: all." }),
    limits: z.array(Limit).max(10).optional(),
    monthlyQuota: z.int().positive().optional(),
  })
  .meta({
    examples: [
      {
        name: "nightly import",
        scopes: ["products:read"],
        expiresIn: "90d",
        allowedAddresses: ["192.0.2.0/24", "2001:db8::/32"],
        limits: [{ name: "burst", requests: 20, window: "1s" }],
        monthlyQuota: 100_000,
      },
    ],
  });

const RotateBody = z
  .strictObject({
    overlap: z.string().max(16).optional(),
    expiresIn: Duration.optional(),
  })
  .optional()
  .meta({
    description: "`overlap`: how long the old key is good beside the new one. Default 0.",
    examples: [{ overlap: "1h" }],
  });

const PatchBody = z
  .strictObject({ name: KeyName, enabled: z.boolean() })
  .partial()
  .refine((body) => Object.keys(body).length > 0, { error: "Expected at least one field." })
  .meta({ description: "At least one field.", examples: [{ enabled: false }] });

const CreatedKey = z
  .strictObject({
    id: z.uuid(),
    key: z.string().meta({ description: "Shown this once." }),
    name: z.string(),
    scopes: z.array(z.string()),
    expiresAt: z.iso.datetime(),
  })
  .meta({ id: "CreatedAPIKey" });

const Key = z
  .strictObject({
    id: z.uuid(),
    hint: z.string().meta({ description: "The key without its secret." }),
    name: z.string(),
    environment: z.enum(["live", "test"]),
    tenantId: z.uuid().nullable(),
    scopes: z.array(z.string()),
    allowedAddresses: z.array(z.string()).nullable(),
    limits: z.array(Limit),
    monthlyQuota: z.int().nullable(),
    state: z.enum(["active", "disabled", "expired"]),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime(),
    lastUsedAt: z.iso.datetime().nullable(),
    successorId: z.uuid().nullable(),
  })
  .meta({ id: "APIKey" });

const KeyDetails = z
  .strictObject({
    ...Key.shape,
    usage: z
      .array(z.strictObject({ day: z.iso.date(), requests: z.int() }))
      .meta({ description: "Requests by day in UTC, of the last 31 days." }),
  })
  .meta({ id: "APIKeyDetails" });

const errors = ["FORBIDDEN", "NOT_FOUND", "REAUTHENTICATION_REQUIRED"] as const;

/** Keys of the person who is signed in. A key opens none of these routes. */
export function apiKeyRoutes(bulwark: Bulwark): readonly AnyRoute[] {
  const { apiKeys, requireRecentAuth } = bulwark;
  const { AuthenticatedAPIHandler } = bulwark.handlers;
  const recent = requireRecentAuth({ factor: "any" });
  const strongest = requireRecentAuth();

  const list = AuthenticatedAPIHandler.GET(
    (context) => apiKeys.list(ownerOf(personOf(context)), context),
    {
      path: "/api/api-keys",
      requireAuth: true,
      response: z.array(Key),
      errors: ["FORBIDDEN"],
      summary: "The API keys of this user",
    },
  );

  const create = AuthenticatedAPIHandler.POST(
    strongest(async (context) => {
      const person = personOf(context);
      const body = context.body as z.infer<typeof NewKeyBody>;
      return ResponseBuilder.created(await apiKeys.create(body, ownerOf(person), person, context));
    }),
    {
      path: "/api/api-keys",
      requireAuth: true,
      body: NewKeyBody,
      response: CreatedKey,
      status: 201,
      errors: ["FORBIDDEN", "REAUTHENTICATION_REQUIRED", "CONFLICT"],
      summary: "Make an API key; it is shown this once",
    },
  );

  const one = AuthenticatedAPIHandler.GET(
    (context) => apiKeys.get(context.params.id, ownerOf(personOf(context)), context),
    {
      path: "/api/api-keys/:id",
      requireAuth: true,
      response: KeyDetails,
      errors: ["FORBIDDEN", "NOT_FOUND"],
      summary: "One API key of this user, and its use by day",
    },
  );

  const patch = AuthenticatedAPIHandler.PATCH(
    recent(async (context) => {
      const owner = ownerOf(personOf(context));
      const body = context.body as z.infer<typeof PatchBody>;
      return ResponseBuilder.updated(await apiKeys.update(idOf(context), owner, body, context));
    }),
    {
      path: "/api/api-keys/:id",
      requireAuth: true,
      body: PatchBody,
      response: Key,
      errors,
      summary: "Rename an API key, disable it, or enable it again",
    },
  );

  const rotate = AuthenticatedAPIHandler.POST(
    strongest(async (context) => {
      const person = personOf(context);
      const body = (context.body ?? {}) as NonNullable<z.infer<typeof RotateBody>>;
      const owner = ownerOf(person);
      return ResponseBuilder.created(
        await apiKeys.rotate(idOf(context), owner, person, body, context),
      );
    }),
    {
      path: "/api/api-keys/:id/rotate",
      requireAuth: true,
      body: RotateBody,
      response: CreatedKey,
      status: 201,
      errors: [...errors, "CONFLICT"],
      summary: "Put a new API key in the place of one",
    },
  );

  const revoke = AuthenticatedAPIHandler.DELETE(
    recent(async (context) => {
      await apiKeys.revoke(idOf(context), ownerOf(personOf(context)), context);
      return ResponseBuilder.deleted();
    }),
    {
      path: "/api/api-keys/:id",
      requireAuth: true,
      response: z.null(),
      errors,
      summary: "Revoke an API key",
    },
  );

  return [list, create, one, patch, rotate, revoke, leakedRoute(bulwark)];
}

/** Keys outside of any tenant, and those of the tenant that the session acts in; a new key acts where the session does. */
const ownerOf = ({ userId, tenantId }: UserPrincipal): KeyOwner => ({ userId, tenantId });

const idOf = (context: RequestContext): string => (context.params as { readonly id: string }).id;

const MAX_REPORT_BYTES = 131_072;

/** Others' words: fields that are not known here are ignored. */
const LeakReport = z
  .array(
    z.object({
      token: z.string().max(512),
      type: z.string().max(128).optional(),
      url: z.string().max(4_096).optional(),
      source: z.string().max(128).optional(),
    }),
  )
  .min(1)
  .max(100);

/** What a scanning partner reports. The signature is over the body's bytes, so the body is read here. */
function leakedRoute(bulwark: Bulwark): AnyRoute {
  const { leaks } = bulwark.apiKeys;
  return bulwark.handlers.BaseAPIHandler.POST(
    async (context) => {
      if (!leaks.isOn) throw new NotFoundError("Path");
      const bytes = new Uint8Array(await context.request.arrayBuffer());
      const partner = leaks.partnerOf(bytes, context.request.headers);
      const found = await validate(LeakReport, parseJson(bytes, JSON_LIMITS));
      await leaks.revoke(found, partner, context);
      return { received: found.length };
    },
    {
      path: "/api/api-keys/leaked",
      requireAuth: false,
      maxBodyBytes: MAX_REPORT_BYTES,
      rateLimit: { requests: 60, window: "1m" },
      response: z.strictObject({ received: z.int() }),
      errors: ["UNAUTHORIZED", "NOT_FOUND", "VALIDATION_ERROR", "INVALID_REQUEST"],
      summary:
        "A signed report of keys that were found in public, as [{ token, type, url, source }]",
    },
  );
}
