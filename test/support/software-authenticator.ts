import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

/** How an answer is to differ from what a good authenticator in a good browser gives. */
export interface Tampering {
  readonly origin?: string;
  readonly rpId?: string;
  readonly challenge?: string;
  readonly type?: string;
  readonly userVerified?: boolean;
  readonly counter?: number;
  readonly userHandle?: string;
  /** Changes the signature. */
  readonly forged?: boolean;
  /** Leaves the user handle out. */
  readonly anonymous?: boolean;
  /** Says that the page stood in a frame of another origin. */
  readonly crossOrigin?: boolean;
  /** Makes the attestation; default none. */
  readonly attestation?: Attest;
}

/** Attest makes an attestation statement over what an authenticator answers. */
export type Attest = (facts: {
  readonly authData: Buffer;
  readonly clientDataHash: Buffer;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}) => { readonly fmt: string /** In CBOR. */; readonly statement: Buffer };

interface CreationOptions {
  readonly challenge: string;
  readonly rp: { readonly id: string };
  readonly user: { readonly id: string };
}

interface RequestOptions {
  readonly challenge: string;
  readonly rpId: string;
}

/**
 * SoftwareAuthenticator stands in for an authenticator and its browser: one ES256 credential, attestation "none"
 * (Web Authentication Level 3 sections 6.1 and 8.7). It says what it is told to say.
 */
export class SoftwareAuthenticator {
  readonly #origin: string;
  readonly #privateKey: KeyObject;
  readonly #publicKey: KeyObject;
  readonly #credentialId = randomBytes(32);
  #userHandle = "";
  #counter = 0;

  constructor(origin: string) {
    this.#origin = origin;
    const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
    this.#privateKey = pair.privateKey;
    this.#publicKey = pair.publicKey;
  }

  get id(): string {
    return this.#credentialId.toString("base64url");
  }

  create(options: unknown, tampering: Tampering = {}): Record<string, unknown> {
    const { challenge, rp, user } = options as CreationOptions;
    this.#userHandle = user.id;
    const clientDataJSON = this.#clientData("webauthn.create", challenge, tampering);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(this.#credentialId.byteLength);
    const authData = Buffer.concat([
      this.#authenticatorData(rp.id, 0x40, tampering),
      Buffer.alloc(16),
      length,
      this.#credentialId,
      this.#coseKey(),
    ]);
    const { fmt, statement } = (tampering.attestation ?? noAttestation)({
      authData,
      clientDataHash: createHash("sha256").update(clientDataJSON).digest(),
      privateKey: this.#privateKey,
      publicKey: this.#publicKey,
    });
    const attestationObject = Buffer.concat([
      Buffer.from([0xa3]),
      text("fmt"),
      text(fmt),
      text("attStmt"),
      statement,
      text("authData"),
      bytes(authData),
    ]);
    return this.#credential({
      clientDataJSON: clientDataJSON.toString("base64url"),
      attestationObject: attestationObject.toString("base64url"),
      transports: ["internal"],
    });
  }

  get(options: unknown, tampering: Tampering = {}): Record<string, unknown> {
    const { challenge, rpId } = options as RequestOptions;
    this.#counter += 1;
    const clientDataJSON = this.#clientData("webauthn.get", challenge, tampering);
    const authenticatorData = this.#authenticatorData(rpId, 0, tampering);
    const hash = createHash("sha256").update(clientDataJSON).digest();
    const signature = sign("sha256", Buffer.concat([authenticatorData, hash]), this.#privateKey);
    if (tampering.forged === true) signature[8] = (signature[8] ?? 0) ^ 1;
    return this.#credential({
      clientDataJSON: clientDataJSON.toString("base64url"),
      authenticatorData: authenticatorData.toString("base64url"),
      signature: signature.toString("base64url"),
      ...(tampering.anonymous === true
        ? {}
        : { userHandle: tampering.userHandle ?? this.#userHandle }),
    });
  }

  #credential(response: Record<string, unknown>): Record<string, unknown> {
    const { id } = this;
    return { id, rawId: id, type: "public-key", response, clientExtensionResults: {} };
  }

  #clientData(type: string, challenge: string, tampering: Tampering): Buffer {
    return Buffer.from(
      JSON.stringify({
        type: tampering.type ?? type,
        challenge: tampering.challenge ?? challenge,
        origin: tampering.origin ?? this.#origin,
        crossOrigin: tampering.crossOrigin === true,
      }),
    );
  }

  #authenticatorData(rpId: string, flags: number, tampering: Tampering): Buffer {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(tampering.counter ?? this.#counter);
    const verified = tampering.userVerified === false ? 0 : 0x04;
    return Buffer.concat([
      createHash("sha256")
        .update(tampering.rpId ?? rpId)
        .digest(),
      Buffer.from([0x01 | verified | flags]),
      counter,
    ]);
  }

  /** COSE_Key of an ES256 key (RFC 9053 section 7.1.1): { 1: 2, 3: -7, -1: 1, -2: x, -3: y }. */
  #coseKey(): Buffer {
    const { x = "", y = "" } = this.#publicKey.export({ format: "jwk" });
    return Buffer.concat([
      Buffer.from([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21]),
      bytes(Buffer.from(x, "base64url")),
      Buffer.from([0x22]),
      bytes(Buffer.from(y, "base64url")),
    ]);
  }
}

const noAttestation: Attest = () => ({ fmt: "none", statement: Buffer.from([0xa0]) });

/** A short text in CBOR. */
export const text = (value: string): Buffer =>
  Buffer.concat([Buffer.from([0x60 | value.length]), Buffer.from(value)]);

/** A byte string in CBOR, of up to 65,535 bytes. */
export function bytes(value: Buffer): Buffer {
  const head =
    value.byteLength < 256
      ? Buffer.from([0x58, value.byteLength])
      : Buffer.from([0x59, value.byteLength >> 8, value.byteLength & 255]);
  return Buffer.concat([head, value]);
}
