import { decodeAttestationObject } from "@simplewebauthn/server/helpers";
import { expect, test } from "vitest";
import { isUnattested } from "./webauthn.ts";

const text = (value: string): readonly number[] => [0x60 | value.length, ...Buffer.from(value)];

/** { fmt, attStmt, authData: h'' } in CBOR. */
const attestation = (fmt: readonly number[], statement: readonly number[]) =>
  decodeAttestationObject(
    Uint8Array.from([
      0xa3,
      ...text("fmt"),
      ...fmt,
      ...text("attStmt"),
      ...statement,
      ...text("authData"),
      0x40,
    ]),
  );

const NONE = [0xa0];
const SELF = [0xa1, ...text("sig"), 0x40];
const CERTIFIED = [0xa2, ...text("sig"), 0x40, ...text("x5c"), 0x81, 0x40];

test.each<[what: string, fmt: string, statement: readonly number[], unattested: boolean]>([
  ["nobody", "none", NONE, true],
  ["the credential's own key", "packed", SELF, true],
  ["certificates", "packed", CERTIFIED, false],
  ["no certificates, though they are named", "packed", [0xa1, ...text("x5c"), 0x80], false],
  ["a certificate that is null", "packed", [0xa1, ...text("x5c"), 0xf6], false],
  ["a key of Android", "android-key", CERTIFIED, false],
  ["a key of Android, without certificates", "android-key", SELF, false],
  ["a TPM", "tpm", CERTIFIED, false],
  ["Apple", "apple", CERTIFIED, false],
  ["a security key of before", "fido-u2f", CERTIFIED, false],
  ["a safety net", "android-safetynet", [0xa1, ...text("response"), 0x40], false],
  ["a format in capitals", "NONE", NONE, false],
  ["no format", "", NONE, false],
  ["a name of every object", "constructor", NONE, false],
])("vouched for by %s", (_what, fmt, statement, unattested) => {
  expect(isUnattested(attestation(text(fmt), statement))).toBe(unattested);
});

test("a format that is a number is none", () => {
  expect(isUnattested(attestation([0x00], NONE))).toBe(false);
});
