import { validate } from "@readme/openapi-parser";
import { beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import type { OpenApiDocument, Operation, ResponseObject } from "../../src/openapi/index.ts";
import { referenceRoutes } from "../../src/server/index.ts";
import { type Answer, dataOf, PASSWORD, testApp } from "../support/app.ts";

const { bulwark, call, reset, port, adminToken, signUp } = await testApp();
beforeAll(reset);

const answer = await call("GET", "/openapi.json");
const document = answer.json as unknown as OpenApiDocument;
const operation = (method: string, path: string): Operation => {
  const found = document.paths[path]?.[method];
  if (found === undefined) throw new Error(`${method} ${path} is not documented`);
  return found;
};
const all = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, each]) => ({ name: `${method} ${path}`, ...each })),
);

describe("the document", () => {
  test("is served as itself, to anyone, as JSON with every standing header", () => {
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
    expect(answer.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(document.openapi).toBe("3.1.0");
    expect(document.servers).toEqual([{ url: `http://localhost:${port}` }]);
    expect(answer.json).not.toHaveProperty("success");
  });

  test("is valid OpenAPI 3.1, by the validator", async () => {
    const result = await validate(structuredClone(answer.json) as never);
    expect(result).toMatchObject({ valid: true, warnings: [] });
  });

  test("has every route that is mounted, and no other", () => {
    const mounted = referenceRoutes(bulwark).map(
      ({ method, path }) => `${method.toLowerCase()} ${path.replaceAll(/[:*](\w+)/g, "{$1}")}`,
    );
    expect(all.map(({ name }) => name).sort()).toEqual(mounted.sort());
  });

  test("names each operation once, says what it is for, and groups it", () => {
    const ids = all.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toContain("getProductsById");
    expect(all.filter(({ summary }) => (summary ?? "") === "")).toEqual([]);
    expect(operation("get", "/api/admin/audit").tags).toEqual(["admin"]);
    const tags = document.tags.map(({ name }) => name);
    expect(all.flatMap((each) => each.tags).filter((tag) => !tags.includes(tag))).toEqual([]);
  });
});

describe("who may call what", () => {
  test("an operation asks for a token, or a key, exactly where its route lets in who has one", () => {
    for (const { method, path, definition, principals } of referenceRoutes(bulwark)) {
      const template = path.replaceAll(/[:*](\w+)/g, "{$1}");
      const { security, responses } = operation(method.toLowerCase(), template);
      const keys = principals.includes("userKey") ? [{ apiKey: [] }] : [];
      const either = [{ bearer: [] }, ...keys];
      expect(security, path).toEqual(definition.requireAuth ? either : []);
      if (definition.requireAuth) expect(responses, path).toHaveProperty("401");
    }
    expect(document.components.securitySchemes["bearer"]).toMatchObject({ scheme: "bearer" });
    expect(document.components.securitySchemes["apiKey"]).toMatchObject({ name: "x-api-key" });
    expect(operation("get", "/api/api-keys").security).toEqual([{ bearer: [] }]);
  });

  test("roles, limits and rates stand as x-bulwark-policies", () => {
    const { "x-bulwark-policies": policies } = operation("delete", "/api/products/{id}");
    expect(policies).toEqual([
      { name: "requireAuth", options: true },
      { name: "rateLimit", options: { requests: 30, window: "1m" } },
      { name: "requireRoles", options: ["admin", "moderator"] },
    ]);
    expect(operation("post", "/api/auth/login")["x-bulwark-policies"]).toContainEqual({
      name: "limits",
      options: ["login"],
    });
  });
});

describe("errors", () => {
  test.each([
    ["get", "/health/live", ["500", "503"]],
    ["get", "/api/products", ["400", "401", "403", "421", "429", "500", "503"]],
    ["get", "/api/products/{id}", ["401", "404", "421", "429", "500", "503"]],
    ["post", "/api/products", ["400", "401", "403", "413", "415", "421", "429", "500", "503"]],
    ["patch", "/api/products/{id}", "400 401 403 404 413 415 421 429 500 503".split(" ")],
    ["delete", "/api/products/{id}", ["401", "403", "404", "421", "429", "500", "503"]],
    ["post", "/api/auth/login", ["400", "401", "403", "413", "415", "421", "429", "500", "503"]],
    ["post", "/api/auth/register", ["400", "409", "413", "415", "421", "429", "500", "503"]],
    ["get", "/api/admin/audit", ["400", "401", "403", "421", "429", "500", "503"]],
  ])("%s %s", (method, path, expected) => {
    const statuses = Object.keys(operation(method, path).responses);
    expect(statuses.filter((status) => Number(status) >= 400).sort()).toEqual(expected);
  });

  test("come in both forms, with the headers that a client needs", () => {
    const { Unauthorized, TooManyRequests } = document.components.responses;
    expect(Object.keys(Unauthorized?.content ?? {})).toEqual([
      "application/json",
      "application/problem+json",
    ]);
    expect(Unauthorized?.headers).toHaveProperty("WWW-Authenticate");
    expect(TooManyRequests?.headers).toHaveProperty("Retry-After");
    expect(operation("post", "/api/auth/login").responses["401"]).toMatchObject({
      description: expect.stringContaining("INVALID_CREDENTIALS"),
    });
  });
});

describe("input", () => {
  test("a query is its parameters, with their limits and choices", () => {
    const { parameters = [] } = operation("get", "/api/products");
    const by = (name: string) => parameters.find((each) => each.name === name);
    expect(by("limit")).toMatchObject({
      in: "query",
      required: false,
      schema: { type: "integer", minimum: 1, maximum: 100 },
    });
    expect(by("sort")?.schema.enum).toContain("-createdAt");
    expect(by("search")?.schema).toMatchObject({ type: "string", maxLength: 200 });
  });

  test("a path's parameter is required", () => {
    expect(operation("get", "/api/products/{id}").parameters).toEqual([
      { name: "id", in: "path", required: true, schema: { type: "string", minLength: 1 } },
    ]);
  });

  test("a body says what is required, allows nothing unknown, and its example is accepted", async () => {
    const body = operation("post", "/api/products").requestBody?.content["application/json"];
    expect(body?.schema).toMatchObject({
      type: "object",
      required: ["name", "price", "category"],
      additionalProperties: false,
    });
    const { token } = await signUp();
    const made = await call("POST", "/api/products", { token, body: body?.example });
    expect(made.status).toBe(201);
  });

  test("every body has an example that its own schema takes", () => {
    const bodies = all.flatMap(({ requestBody }) => requestBody?.content["application/json"] ?? []);
    expect(bodies.length).toBeGreaterThan(4);
    for (const { schema, example } of bodies) {
      expect(z.fromJSONSchema(schema as never).safeParse(example).success).toBe(true);
    }
  });
});

test("an answer of 204 has no content", () => {
  const { responses } = operation("post", "/api/reports");
  expect(responses["204"]).toBeDefined();
  expect(responses["204"]).not.toHaveProperty("content");
});

/** faults checks a value against a schema of the document, with the shared parts beside it. */
function faults(schema: object | undefined, value: unknown): unknown {
  const text = JSON.stringify({ ...schema, $defs: document.components.schemas });
  const whole = JSON.parse(text.replaceAll("#/components/schemas/", "#/$defs/"));
  return z.fromJSONSchema(whole).safeParse(value).error;
}

function check(method: string, path: string, given: Answer): void {
  const response = operation(method, path).responses[String(given.status)] as ResponseObject;
  expect(faults(response.content?.["application/json"]?.schema, given.json)).toBeUndefined();
}

describe("answers are what the document says", () => {
  test("accounts", async () => {
    const person = { email: "documented@example.com", password: PASSWORD, name: "Ada" };
    const register = await call("POST", "/api/auth/register", { body: person });
    check("post", "/api/auth/register", register);
    const { name: _name, ...credentials } = person;
    const login = await call("POST", "/api/auth/login", { body: credentials });
    check("post", "/api/auth/login", login);
    const token = dataOf<{ accessToken: string }>(login).accessToken;
    check("get", "/api/auth/me", await call("GET", "/api/auth/me", { token }));
    check("post", "/api/auth/logout", await call("POST", "/api/auth/logout", { token }));
  });

  test("products, the audit log, health", async () => {
    const token = await adminToken();
    const body = { name: "Lamp", price: 1.5, category: "home" };
    const made = await call("POST", "/api/products", { token, body });
    check("post", "/api/products", made);
    const path = `/api/products/${dataOf<{ id: string }>(made).id}`;
    check("get", "/api/products", await call("GET", "/api/products", { token }));
    check("get", "/api/products/{id}", await call("GET", path, { token }));
    const patched = await call("PATCH", path, { token, body: { price: 2 } });
    check("patch", "/api/products/{id}", patched);
    check("delete", "/api/products/{id}", await call("DELETE", path, { token }));
    const audit = await call("GET", "/api/admin/audit?limit=100", { token });
    check("get", "/api/admin/audit", audit);
    check("get", "/health/live", await call("GET", "/health/live"));
    check("get", "/health/ready", await call("GET", "/health/ready"));
  });

  test("a wrong answer would be found", async () => {
    const live = await call("GET", "/health/live");
    const wrong = { ...live, json: { ...live.json, data: { status: "well" } } };
    expect(() => check("get", "/health/live", wrong)).toThrow();
  });

  test("refusals, in both forms", async () => {
    const { schemas } = document.components;
    for (const path of ["/api/products", "/api/auth/login", "/nowhere"]) {
      const plain = await call("POST", path, { body: {} });
      expect(faults(schemas["Error"], plain.json)).toBeUndefined();
      const headers = { accept: "application/problem+json" };
      const problem = await call("POST", path, { body: {}, headers });
      expect(faults(schemas["Problem"], problem.json)).toBeUndefined();
      expect(faults(schemas["Error"], problem.json)).toBeDefined();
    }
  });
});
