import { expect } from "vitest";
import type { Answer } from "../../support/app.ts";

/** The headers of every answer, as SECURITY-minded clients rely on them. */
export const STANDING = {
  "content-security-policy":
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "x-xss-protection": "0",
  "cache-control": "no-store",
} as const;

const MS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** expectRefusal checks the whole form of an error answer. */
export function expectRefusal(answer: Answer, status: number, code: string): void {
  expect(answer.status).toBe(status);
  expect(answer.headers.get("content-type")).toBe("application/json; charset=utf-8");
  expect(answer.json).toMatchObject({
    success: false,
    error: expect.stringMatching(/./),
    code,
    statusCode: status,
    timestamp: expect.stringMatching(MS),
    meta: { requestId: answer.headers.get("x-request-id"), version: "1" },
  });
  for (const [name, value] of Object.entries(STANDING)) {
    expect.soft(answer.headers.get(name), name).toBe(value);
  }
}
