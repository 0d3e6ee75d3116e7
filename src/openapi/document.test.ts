import { describe, expect, test } from "vitest";
import { z } from "zod";
import { BaseAPIHandler, type Schema, wrapper } from "../core/index.ts";
import { openApiDocument } from "./index.ts";
import type { Operation } from "./types.ts";

const OPTIONS = { title: "Test", version: "1", servers: [] };
const { GET, POST } = BaseAPIHandler;
const define = { GET: GET.bind(BaseAPIHandler), POST: POST.bind(BaseAPIHandler) };
const open = { requireAuth: false } as const;

const post = (body: Schema, path = "/things") =>
  define.POST(() => null, { ...open, path, body }) as never;
const only = (operation: Record<string, Operation> | undefined): Operation =>
  Object.values(operation ?? {})[0] as Operation;
const bodyOf = (...routes: never[]) => {
  const document = openApiDocument(routes, OPTIONS);
  const bodies = Object.values(document.paths).map(
    (item) => only(item).requestBody?.content["application/json"],
  );
  return { document, bodies, body: bodies[0] };
};

describe("a schema that cannot say its shape", () => {
  test("is open, with a description", () => {
    const silent: Schema = {
      "~standard": { version: 1, vendor: "mine", validate: (value) => ({ value }) },
    };
    expect(bodyOf(post(silent)).body).toEqual({
      schema: { description: expect.stringContaining("Checked by the server") },
      example: null,
    });
  });

  test("is open where its own converter throws", () => {
    const throwing = {
      "~standard": {
        version: 1,
        vendor: "mine",
        validate: (value: unknown) => ({ value }),
        jsonSchema: {
          input: () => {
            throw new Error("unsupported");
          },
        },
      },
    } as unknown as Schema;
    expect(bodyOf(post(throwing)).body?.schema).toHaveProperty("description");
  });

  test("is open where its own converter says what JSON does not know", () => {
    const convert = { input: () => ({ default: 5n }), output: () => ({ default: 5n }) };
    const odd = {
      "~standard": {
        version: 1,
        vendor: "mine",
        validate: () => ({ value: 1 }),
        jsonSchema: convert,
      },
    } as unknown as Schema;
    expect(bodyOf(post(odd)).body?.schema).toHaveProperty("description");
  });

  test("is open in that part alone, for zod", () => {
    const body = z.strictObject({
      at: z.date(),
      name: z.string().transform((text) => text.length),
    });
    expect(bodyOf(post(body)).body?.schema).toMatchObject({
      properties: { at: {}, name: { type: "string" } },
    });
  });
});

describe("an example is taken by its own schema", () => {
  const Tree = z.strictObject({
    name: z.string(),
    get branches(): z.ZodType {
      return z.array(Tree);
    },
  });
  const rows: Record<string, z.ZodType> = {
    "a whole number": z.int(),
    "a number in a range": z.int().min(10).max(20),
    "a number above": z.number().gt(5),
    "a whole number above": z.int().gt(5),
    "a number at most": z.number().max(-3),
    "a number below": z.number().lt(-3),
    "a fraction": z.number().gt(0).lt(0.5),
    "a multiple of a fraction": z.number().min(0.25).multipleOf(0.1),
    "a multiple": z.number().min(12).multipleOf(5),
    "a short text": z.string().max(2),
    "a long text": z.string().min(20),
    "an address": z.ipv4(),
    "several items": z.array(z.string()).min(2),
    "a tuple": z.tuple([z.string(), z.number()]),
    "a pattern": z.string().regex(/^[A-Z]{3}$/),
    "a beginning": z.string().startsWith("ab"),
    "a part": z.string().includes("zz"),
    "a time": z.iso.time(),
    "a duration": z.iso.duration(),
    "a network": z.cidrv4(),
    "a digest": z.hash("sha256"),
    "a telephone number": z.e164(),
    "a short address of mail": z.email().max(12),
    "a record by an enumeration": z.record(z.enum(["a", "b"]), z.number()),
    "a tree": Tree,
    "a union": z.union([z.strictObject({ a: z.string() }), z.null()]),
  };
  test.each(Object.entries(rows))("%s", (_name, schema) => {
    expect(schema.safeParse(bodyOf(post(schema)).body?.example).error).toBeUndefined();
  });

  test("and shows no bound that nobody would send", () => {
    expect(bodyOf(post(z.int())).body?.example).toBe(1);
  });
});

describe("named parts", () => {
  const Thing = z.strictObject({ name: z.string() }).meta({ id: "Thing" });

  test("stand once among the components, however often they are used", () => {
    const { document, bodies } = bodyOf(post(Thing), post(z.array(Thing), "/many"));
    expect(bodies[0]?.schema).toEqual({ $ref: "#/components/schemas/Thing" });
    expect(bodies[1]?.schema?.items).toEqual({ $ref: "#/components/schemas/Thing" });
    expect(bodies[1]?.example).toEqual([{ name: "text" }]);
    const names = Object.keys(document.components.schemas);
    expect(names.filter((name) => name.includes("Thing"))).toEqual(["Thing"]);
  });

  test("never take the place of another, or of the envelope's", () => {
    const Other = z.strictObject({ error: z.number() }).meta({ id: "Error" });
    const { document, bodies } = bodyOf(post(Other));
    expect(bodies[0]?.schema).toEqual({ $ref: "#/components/schemas/postThingsBody_Error" });
    expect(document.components.schemas["Error"]?.properties).toHaveProperty("statusCode");
  });

  test("may refer to themselves", () => {
    const Tree = z.strictObject({
      name: z.string(),
      get branches() {
        return z.array(Tree).optional();
      },
    });
    const { document, body } = bodyOf(post(Tree));
    expect(body?.schema).toEqual({ $ref: "#/components/schemas/postThingsBody" });
    const { properties } = document.components.schemas["postThingsBody"] ?? {};
    expect(properties?.["branches"]?.items).toEqual(body?.schema);
    expect(body?.example).toEqual({ name: "text" });
  });
});

describe("parts that refer to their whole", () => {
  const whole = (field: z.ZodType) => {
    const Whole: z.ZodType = z.strictObject({
      field,
      get part() {
        return z
          .strictObject({
            get whole() {
              return Whole.optional();
            },
          })
          .meta({ id: crypto.randomUUID() })
          .optional();
      },
    });
    return Whole;
  };
  test("find it among the components, each its own", () => {
    const { document } = bodyOf(post(whole(z.string()), "/a"), post(whole(z.int()), "/b"));
    const text = JSON.stringify(document);
    const names = [...text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name);
    expect(names).toEqual(expect.arrayContaining(["postABody", "postBBody"]));
    const known = Object.keys(document.components.schemas);
    expect(names.filter((name) => !known.includes(name ?? ""))).toEqual([]);
  });
});

describe("an operation", () => {
  test.each([
    ["/api/products/:id", "/api/products/{id}", "getProductsById", "products"],
    ["/files/*rest", "/files/{rest}", "getFilesByRest", "files"],
    ["/", "/", "get", "root"],
    ["/openapi.json", "/openapi.json", "getOpenapiJson", "openapi"],
    ["/api/users/:id/lock", "/api/users/{id}/lock", "getUsersIdLock", "users"],
  ])("%s is %s, %s, of %s", (path, template, operationId, tag) => {
    const route = define.GET(() => null, { ...open, path });
    const { paths } = openApiDocument([route], OPTIONS);
    expect(only(paths[template])).toMatchObject({ operationId, tags: [tag] });
  });

  test("whose name is taken gets a number", () => {
    const routes = ["/api/setup", "/setup"].map((path) =>
      define.GET(() => null, { ...open, path }),
    );
    const { paths } = openApiDocument(routes, OPTIONS);
    const ids = Object.values(paths).map((item) => only(item).operationId);
    expect(ids).toEqual(["getSetup", "getSetup2"]);
  });

  test("shows of a policy what is JSON, and forbids where one stands that it does not know", () => {
    const options = { level: 3, decide: () => true };
    const guard = wrapper({
      phase: "authorize",
      policy: { name: "mine", options },
      bind: () => () => "pass",
    });
    const route = define.GET(guard(() => null) as never, { ...open, path: "/guarded" });
    const operation = only(openApiDocument([route], OPTIONS).paths["/guarded"]);
    expect(operation["x-bulwark-policies"]).toContainEqual({ name: "mine", options: { level: 3 } });
    expect(operation.responses).toHaveProperty("403");
  });

  test.each([
    [["user"], [{ bearer: [] }]],
    [
      ["user", "userKey"],
      [{ bearer: [] }, { apiKey: [] }],
    ],
    [["tenantKey"], [{ apiKey: [] }]],
  ] as const)("that lets in %j asks for %j", (principals, security) => {
    class Handlers extends BaseAPIHandler {
      static override readonly principals = principals;
      static override checkAuth = () => ({ isAuthenticated: false, reason: "absent" }) as const;
    }
    const route = Handlers.GET(() => null, { path: "/things", requireAuth: true });
    const document = openApiDocument([route as never], OPTIONS);
    expect(only(document.paths["/things"]).security).toEqual(security);
  });

  test("answers 421 unless it stands under any Host", () => {
    const probe = define.GET(() => null, { ...open, path: "/probe", insecureAnyHost: true });
    const other = define.GET(() => null, { ...open, path: "/other" });
    const { paths } = openApiDocument([probe, other], OPTIONS);
    expect(only(paths["/probe"]).responses).not.toHaveProperty("421");
    expect(only(paths["/other"]).responses).toHaveProperty("421");
  });

  test("that states what it produces has no envelope around it", () => {
    const produces = ["text/csv"];
    const route = define.GET(() => new Response(""), { ...open, path: "/export", produces });
    const { responses } = only(openApiDocument([route], OPTIONS).paths["/export"]);
    expect(responses["200"]).toMatchObject({
      content: { "text/csv": { schema: { type: "string" } } },
    });
  });
});
