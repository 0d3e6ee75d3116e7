import { describe, expect, test } from "vitest";
import { challengeOf, readAssertion, readAttestation } from "./responses.ts";

const encoded = (value: unknown): string =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

const CHALLENGE = "A".repeat(43);

describe("the challenge of", () => {
  test.each<[what: string, data: unknown, read: boolean]>([
    ["a page", { challenge: CHALLENGE, crossOrigin: false }, true],
    ["a browser that says nothing of frames", { challenge: CHALLENGE }, true],
    ["a frame of another origin", { challenge: CHALLENGE, crossOrigin: true }, false],
    [
      "a page in a page of another",
      { challenge: CHALLENGE, topOrigin: "https://a.example" },
      false,
    ],
    ["what is no base64url", { challenge: "A+/=" }, false],
    ["a long one", { challenge: "A".repeat(129) }, false],
    ["a list", { challenge: [CHALLENGE] }, false],
    ["a prototype", '{"__proto__":{"challenge":"AAAA"}}', false],
    ["nothing", {}, false],
    ["null", null, false],
    ["what is no JSON", "{", false],
  ])("%s", (_what, data, read) => {
    expect(challengeOf(encoded(data))).toBe(read ? CHALLENGE : undefined);
  });

  test("no client data is none", () => expect(challengeOf(undefined)).toBeUndefined());
});

const assertion = {
  id: "AAAA",
  type: "public-key",
  response: { clientDataJSON: "e30", authenticatorData: "AAAA", signature: "AAAA" },
};

describe("an assertion", () => {
  test("is read by the fields that count, and by no others", () => {
    const more = { authenticatorAttachment: "platform", clientExtensionResults: { a: 1 } };
    const given = { ...assertion, ...more, rawId: "BBBB" };
    expect(readAssertion(given)).toEqual({
      ...assertion,
      rawId: "AAAA",
      clientExtensionResults: {},
    });
  });

  test.each<[what: string, value: unknown]>([
    ["a null", null],
    ["a text", "x"],
    ["a list", []],
    ["another type", { ...assertion, type: "password" }],
    ["no id", { ...assertion, id: undefined }],
    ["an empty id", { ...assertion, id: "" }],
    ["a number for an id", { ...assertion, id: 1 }],
    ["no response", { ...assertion, response: undefined }],
    ["no signature", { ...assertion, response: { ...assertion.response, signature: "" } }],
    ["padding", { ...assertion, response: { ...assertion.response, signature: "AA==" } }],
    [
      "a handle that is a list",
      { ...assertion, response: { ...assertion.response, userHandle: [] } },
    ],
    ["what it inherits", { ...assertion, response: Object.create(assertion.response) as object }],
  ])("is none: %s", (_what, value) => expect(readAssertion(value)).toBeUndefined());

  test.each([[null], [""], [undefined]])("has no handle where that is %j", (userHandle) => {
    const read = readAssertion({ ...assertion, response: { ...assertion.response, userHandle } });
    expect(read?.response).not.toHaveProperty("userHandle");
  });
});

test("transports that are none are left out, and eight are enough", () => {
  const response = { clientDataJSON: "e30", attestationObject: "AAAA" };
  const read = (transports: unknown): unknown =>
    readAttestation({ ...assertion, response: { ...response, transports } })?.response.transports;
  expect(read(["usb", "telepathy", 7, null, "internal"])).toEqual(["usb", "internal"]);
  expect(read(Array.from({ length: 100 }, () => "usb"))).toHaveLength(8);
  for (const none of [undefined, "usb", { 0: "usb" }]) expect(read(none)).toEqual([]);
});
