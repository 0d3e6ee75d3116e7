import { describe, expect, test } from "vitest";
import { BaseAPIHandler } from "./handler.ts";
import type { AnyRoute } from "./route.ts";
import { createRouter } from "./router.ts";

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] as const;

/** Routes of a list such as `GET /a/:id`, each of which answers what it is and its parameters. */
const routesOf = (lines: readonly string[]): AnyRoute[] =>
  lines.map((line) => {
    const [name, path = ""] = line.split(" ");
    const method = METHODS.find((each) => each === name) ?? "GET";
    const policy = { path, requireAuth: false };
    return BaseAPIHandler[method](({ params }) => ({ line, params }), policy) as AnyRoute;
  });

const ask = async (
  lines: readonly string[],
  asked: string,
): Promise<[number, unknown, Headers]> => {
  const [method = "GET", path = "/"] = asked.split(" ");
  // As a host gives it, which need not have normalised the URL.
  const request = new Proxy(new Request("http://h/", { method }), {
    get: (target, name) => (name === "url" ? `http://h${path}` : Reflect.get(target, name, target)),
  });
  const response = await createRouter(BaseAPIHandler, routesOf(lines))(request, {});
  const text = await response.text();
  const body = text === "" ? {} : (JSON.parse(text) as { data?: unknown; code?: string });
  return [response.status, body.data ?? body.code, response.headers];
};

const LINES = [
  "GET /",
  "GET /a/*rest",
  "GET /a/:id",
  "DELETE /a/:id",
  "GET /a/new",
  "POST /a",
  "GET /a/:id/c",
  "GET /a/b/:id",
  "GET /*rest",
  "GET /z/:id",
];

describe("the literal before the parameter, and that before the rest", () => {
  test.each<[asked: string, line: string, params: Record<string, string>]>([
    ["GET /", "GET /", {}],
    ["GET /a/new", "GET /a/new", {}],
    ["GET /a/7", "GET /a/:id", { id: "7" }],
    ["DELETE /a/7", "DELETE /a/:id", { id: "7" }],
    ["GET /a/7?x=1", "GET /a/:id", { id: "7" }],
    ["GET /a/b/c", "GET /a/b/:id", { id: "c" }],
    ["GET /a/x/c", "GET /a/:id/c", { id: "x" }],
    ["GET /a/x/y", "GET /a/*rest", { rest: "x/y" }],
    ["GET /z/1", "GET /z/:id", { id: "1" }],
    ["GET /q/1", "GET /*rest", { rest: "q/1" }],
    ["GET /a/a%20b", "GET /a/:id", { id: "a b" }],
  ])("%s is %s", async (asked, line, params) => {
    for (const lines of [LINES, LINES.toReversed()]) {
      const [status, data] = await ask(lines, asked);
      expect([status, data]).toEqual([200, { line, params }]);
    }
  });
});

describe("what is not there", () => {
  const few = ["GET /a/:id", "DELETE /a/:id", "POST /a", "GET /b/new", "HEAD /h"];

  test.each<[asked: string, status: number, code: string, allow: string | null]>([
    ["GET /nothing", 404, "NOT_FOUND", null],
    ["GET /A/7", 404, "NOT_FOUND", null],
    ["GET //a/7", 404, "NOT_FOUND", null],
    ["GET /a//7", 404, "NOT_FOUND", null],
    ["GET /a/7/", 404, "NOT_FOUND", null],
    ["GET /a/", 404, "NOT_FOUND", null],
    ["GET /./a/7", 404, "NOT_FOUND", null],
    ["GET /a/../a/7", 404, "NOT_FOUND", null],
    ["GET /a%2f7", 404, "NOT_FOUND", null],
    ["GET /a/%2e%2e", 404, "NOT_FOUND", null],
    ["GET /a/%00", 404, "NOT_FOUND", null],
    ["GET /a/%zz", 404, "NOT_FOUND", null],
    ["GET /b/%6eew", 404, "NOT_FOUND", null],
    ["PUT /a/7", 405, "METHOD_NOT_ALLOWED", "GET, HEAD, DELETE"],
    ["OPTIONS /a/7", 405, "METHOD_NOT_ALLOWED", "GET, HEAD, DELETE"],
    ["GET /a", 405, "METHOD_NOT_ALLOWED", "POST"],
    ["GET /h", 405, "METHOD_NOT_ALLOWED", "HEAD"],
    ["DELETE /nothing", 404, "NOT_FOUND", null],
  ])("%s is %i %s", async (asked, status, code, allow) => {
    const [came, data, headers] = await ask(few, asked);
    expect([came, data, headers.get("allow")]).toEqual([status, code, allow]);
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  });

  test.each<[asked: string, status: number]>([
    ["HEAD /a/7", 200],
    ["HEAD /h", 200],
    ["HEAD /nothing", 404],
    ["HEAD /a", 405],
  ])("%s is %i, without a body", async (asked, status) => {
    const [came, data] = await ask(few, asked);
    expect([came, data]).toEqual([status, undefined]);
  });
});

describe("a list of routes is refused", () => {
  test.each<[lines: readonly string[], message: string]>([
    [["GET /a", "GET /a"], "route GET /a is defined twice"],
    [["GET /a/:id", "POST /a/:id", "GET /a/:id"], "route GET /a/:id is defined twice"],
    [["GET /a/:id", "GET /a/:name"], "route GET /a/:name: the same path stands as /a/:id"],
    [["GET /a/:id", "DELETE /a/:name"], "route DELETE /a/:name: the same path stands as /a/:id"],
    [["GET /*a", "GET /*b"], "route GET /*b: the same path stands as /*a"],
  ])("%j", (lines, message) => {
    expect(() => createRouter(BaseAPIHandler, routesOf(lines))).toThrow(TypeError);
    expect(() => createRouter(BaseAPIHandler, routesOf(lines))).toThrow(message);
  });

  test("with a function that is no route", () => {
    const [good] = routesOf(["GET /a"]);
    const list = [good, function bare() {}] as unknown as AnyRoute[];
    expect(() => createRouter(BaseAPIHandler, list)).toThrow(
      "routes[1] (bare): expected a route made by GET",
    );
    const holes = [undefined] as unknown as AnyRoute[];
    expect(() => createRouter(BaseAPIHandler, holes)).toThrow("routes[0]: expected a route");
  });

  test("two methods of one path, or two paths alike but for a literal, are no duplicates", async () => {
    const lines = ["GET /a", "POST /a", "GET /a/:id", "GET /a/b", "GET /b/:id"];
    expect((await ask(lines, "POST /a"))[1]).toEqual({ line: "POST /a", params: {} });
  });
});
