import { describe, expect, test } from "vitest";
import { NodeResponse } from "./node-response.ts";

type Shape = readonly [body: string | null, status: number, headers: string[]];

const JSON_TYPE = ["content-type", "application/json; charset=utf-8"];
const SHAPES: readonly (readonly [name: string, ...shape: Shape])[] = [
  ["JSON", '{"a":1}', 200, JSON_TYPE],
  ["not ASCII", '{"a":"caf\u00e9 \u{1f600}"}', 201, JSON_TYPE],
  ["an empty text", "", 200, []],
  ["no body", null, 200, ["x-a", "1"]],
  ["204", null, 204, []],
  ["304", null, 304, ["etag", '"1"']],
  ["cookies", "{}", 200, [...JSON_TYPE, "set-cookie", "a=1", "set-cookie", "b=2"]],
  ["a refusal", "{}", 503, ["retry-after", "5"]],
];

const facts = async (response: Response): Promise<unknown> => {
  const { status, statusText, ok, type, url, redirected, bodyUsed, body } = response;
  const before = { status, statusText, ok, type, url, redirected, bodyUsed, isNull: body === null };
  const copy = response.clone();
  return {
    ...before,
    isResponse: response instanceof Response,
    headers: [...response.headers],
    cookies: response.headers.getSetCookie(),
    copied: await copy.text(),
    text: await response.text(),
    usedAfter: response.bodyUsed,
    second: await response.text().catch((error: unknown) => (error as Error).name),
  };
};

const paired = (headers: readonly string[]): [string, string][] =>
  headers.flatMap((name, index) =>
    index % 2 === 0 ? [[name, headers[index + 1] ?? ""] as [string, string]] : [],
  );

const STANDING = { "x-standing": "1", "cache-control": "no-store" };
const standIn = (...[body, status, headers]: Shape): Response =>
  new NodeResponse(status, { body, standing: STANDING, headers }) as unknown as Response;

describe("a stand-in says what the Response says", () => {
  test.each(SHAPES)("%s", async (_name, body, status, headers) => {
    const all = [...Object.entries(STANDING).flat(), ...headers];
    const real = new Response(body, { status, headers: paired(all) });
    expect(await facts(standIn(body, status, headers))).toEqual(await facts(real));
  });

  test("it has every member of a Response", async () => {
    for (const name of Object.getOwnPropertyNames(Response.prototype)) {
      expect(name in NodeResponse.prototype, name).toBe(true);
    }
    expect(await standIn("[1]", 200, JSON_TYPE).json()).toEqual([1]);
    const bytes = new Uint8Array(await standIn("\u00e9", 200, []).arrayBuffer());
    expect([...bytes]).toEqual([0xc3, 0xa9]);
  });
});

test("its parts are gone once it may have been read or changed", () => {
  const parts = { body: "{}", standing: STANDING, headers: ["x-a", "1"] };
  const response = new NodeResponse(200, parts);
  expect(response.parts()).toEqual(parts);
  expect(response.status).toBe(200);
  expect(response.parts()).toBeDefined();
  (response as unknown as Response).headers.set("x-a", "2");
  expect(response.parts()).toBeUndefined();
  expect(response.real().headers.get("x-a")).toBe("2");
});
