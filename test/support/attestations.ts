import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { type Attest, bytes, text } from "./software-authenticator.ts";

/** selfAttestation signs with the credential's own key, as an authenticator without certificates does (Web Authentication Level 3 section 8.2). */
export const selfAttestation: Attest = ({ authData, clientDataHash, privateKey }) => {
  const signature = sign("sha256", Buffer.concat([authData, clientDataHash]), privateKey);
  return { fmt: "packed", statement: cborMap(0xa2, ALGORITHM, [text("sig"), bytes(signature)]) };
};

/**
 * androidKeyAttestation is a whole attestation of format android-key (section 8.4) under a root of the attacker's own. Its certificate
 * names `crlUrl` as the place to ask whether it was revoked.
 */
export const androidKeyAttestation =
  (crlUrl: string): Attest =>
  ({ authData, clientDataHash, privateKey, publicKey }) => {
    const root = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const chain = [
      certificate("leaf", publicKey, root.privateKey, [
        extension("2b06010401d679020111", keyDescription(clientDataHash)),
        extension("551d1f", distributionPoint(crlUrl)),
      ]),
      certificate("root", root.publicKey, root.privateKey, []),
    ];
    const signature = sign("sha256", Buffer.concat([authData, clientDataHash]), privateKey);
    const statement = cborMap(
      0xa3,
      ALGORITHM,
      [text("sig"), bytes(signature)],
      [text("x5c"), Buffer.from([0x80 | chain.length]), ...chain.map(bytes)],
    );
    return { fmt: "android-key", statement };
  };

/** alg: -7 (ES256). */
const ALGORITHM = [text("alg"), Buffer.from([0x26])];

const cborMap = (head: number, ...entries: readonly Buffer[][]): Buffer =>
  Buffer.concat([Buffer.from([head]), ...entries.flat()]);

/** A value in DER (X.690) of up to 65,535 bytes. */
function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const value = Buffer.concat(contents);
  const { byteLength: size } = value;
  if (size < 128) return Buffer.concat([Buffer.from([tag, size]), value]);
  return Buffer.concat([Buffer.from([tag, 0x82, size >> 8, size & 255]), value]);
}

const sequence = (...contents: readonly Uint8Array[]): Buffer => der(0x30, ...contents);
const integer = (value: number): Buffer => der(0x02, Buffer.from([value]));
const objectId = (hex: string): Buffer => der(0x06, Buffer.from(hex, "hex"));
const bits = (value: Uint8Array): Buffer => der(0x03, Buffer.from([0]), value);
const extension = (id: string, value: Buffer): Buffer => sequence(objectId(id), der(0x04, value));
const nameOf = (name: string): Buffer =>
  sequence(der(0x31, sequence(objectId("550403"), der(0x0c, Buffer.from(name)))));

/** CRLDistributionPoints with one full name (RFC 5280 section 4.2.1.13). */
const distributionPoint = (url: string): Buffer =>
  sequence(sequence(der(0xa0, der(0xa0, der(0x86, Buffer.from(url))))));

const keyDescription = (challenge: Uint8Array): Buffer =>
  sequence(
    integer(3),
    der(0x0a, Buffer.from([1])),
    integer(4),
    der(0x0a, Buffer.from([1])),
    der(0x04, challenge),
    der(0x04),
    sequence(),
    sequence(),
  );

function certificate(
  subject: string,
  key: KeyObject,
  issuerKey: KeyObject,
  extensions: readonly Buffer[],
): Buffer {
  const ecdsaWithSha256 = sequence(objectId("2a8648ce3d040302"));
  const times = ["200101000000Z", "490101000000Z"].map((time) => der(0x17, Buffer.from(time)));
  const body = sequence(
    der(0xa0, integer(2)),
    integer(subject === "root" ? 1 : 2),
    ecdsaWithSha256,
    nameOf("root"),
    sequence(...times),
    nameOf(subject),
    key.export({ type: "spki", format: "der" }),
    ...(extensions.length === 0 ? [] : [der(0xa3, sequence(...extensions))]),
  );
  return sequence(body, ecdsaWithSha256, bits(sign("sha256", body, issuerKey)));
}
