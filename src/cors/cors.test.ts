import { describe, expect, test } from "vitest";
import { createCORS } from "./index.ts";

const APP = "https://app.example.com";
const cors = createCORS({ origins: [APP] });
const request = (method: string, headers: Record<string, string>): Request =>
  new Request("https://api.example.com/a", { method, headers });
const asked = { origin: APP, "access-control-request-method": "PUT" };
const never = (): never => {
  throw new Error("it was not to be reached");
};

const accessHeaders = (answer: Response): string[] =>
  [...answer.headers.keys()].filter((name) => name.startsWith("access-control-"));

describe("middleware", () => {
  test("answers a preflight by itself", async () => {
    const answer = await cors.middleware(request("OPTIONS", asked), never);
    expect(answer.status).toBe(204);
    expect(answer.headers.get("access-control-allow-origin")).toBe(APP);
    expect(answer.headers.get("vary")).toBe(
      "Access-Control-Request-Method, Access-Control-Request-Headers, Origin",
    );
  });

  test("lets OPTIONS pass that asks for no permission", async () => {
    const answer = await cors.middleware(request("OPTIONS", { origin: APP }), () =>
      Response.json({}),
    );
    expect(answer.status).toBe(200);
    expect(answer.headers.get("access-control-allow-origin")).toBe(APP);
  });

  test("tells a listed origin what it may read, and keeps what the answer has", async () => {
    const answer = await cors.middleware(request("POST", { origin: APP }), () =>
      Response.json({}, { status: 201, headers: { vary: "Accept", "x-own": "1" } }),
    );
    expect(answer.status).toBe(201);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "access-control-allow-origin": APP,
      "access-control-allow-credentials": "true",
      vary: "Accept, Origin",
      "x-own": "1",
    });
  });

  test.each<[headers: Record<string, string>]>([
    [{ origin: "https://evil.example" }],
    [{ origin: "null" }],
    [{}],
  ])("serves %j without a word of it", async (headers) => {
    const answer = await cors.middleware(request("POST", headers), () => Response.json({}));
    expect(answer.status).toBe(200);
    expect(accessHeaders(answer)).toEqual([]);
    expect(answer.headers.get("vary")).toBe("Origin");
  });

  test.each([
    ["Origin", "Origin"],
    ["accept, ORIGIN", "accept, ORIGIN"],
    ["*", "*"],
    ["X-Origin", "X-Origin, Origin"],
  ])("an answer that varies by %s varies by %s", async (vary, after) => {
    const answer = await cors.middleware(request("GET", {}), () =>
      Response.json({}, { headers: { vary } }),
    );
    expect(answer.headers.get("vary")).toBe(after);
  });

  test("makes anew what cannot be changed", async () => {
    const answer = await cors.middleware(request("GET", { origin: APP }), () =>
      fetch("data:text/plain,hi"),
    );
    expect(answer.headers.get("access-control-allow-origin")).toBe(APP);
    expect(await answer.text()).toBe("hi");
  });
});

describe("handlePreflight", () => {
  test.each<
    [headers: Record<string, string>, methods: readonly string[] | undefined, status: number]
  >([
    [asked, undefined, 204],
    [asked, ["PUT"], 204],
    [asked, ["GET"], 403],
    [{ ...asked, origin: "https://evil.example" }, undefined, 403],
    [{ "access-control-request-method": "PUT" }, undefined, 403],
    [{ origin: APP }, undefined, 403],
    [{ ...asked, "access-control-request-private-network": "true" }, undefined, 403],
    [{ ...asked, "access-control-request-headers": "x-other" }, undefined, 403],
  ])("%j on %j is %i", async (headers, methods, status) => {
    const answer = cors.handlePreflight(request("OPTIONS", headers), methods);
    expect(answer.status).toBe(status);
    expect(await answer.text()).toBe("");
    expect(answer.headers.get("vary")).toContain("Origin");
    if (status === 403) expect(accessHeaders(answer)).toEqual([]);
  });
});
