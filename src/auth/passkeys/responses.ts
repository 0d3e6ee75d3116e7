import type { AuthenticationResponseJSON, RegistrationResponseJSON } from "@simplewebauthn/server";

const BASE64URL = /^[A-Za-z0-9_-]+$/;
const MAX_ID = 1_368;
const MAX_CLIENT_DATA = 4_096;
const MAX_BINARY = 16_384;

const isText = (value: unknown, most: number): value is string =>
  typeof value === "string" && value.length <= most && BASE64URL.test(value);

const partOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;

/** readAttestation reads what an authenticator answered to a registration: only the fields that count, each of a bounded length. */
export function readAttestation(value: unknown): RegistrationResponseJSON | undefined {
  const id = idOf(value);
  const response = partOf(value, "response");
  const clientDataJSON = partOf(response, "clientDataJSON");
  const attestationObject = partOf(response, "attestationObject");
  const transports = partOf(response, "transports");
  if (id === undefined || !isText(clientDataJSON, MAX_CLIENT_DATA)) return undefined;
  if (!isText(attestationObject, MAX_BINARY)) return undefined;
  return {
    id,
    rawId: id,
    type: "public-key",
    clientExtensionResults: {},
    response: {
      clientDataJSON,
      attestationObject,
      transports: transportsOf(transports) as never[],
    },
  };
}

/** readAssertion reads what an authenticator answered to a sign-in. */
export function readAssertion(value: unknown): AuthenticationResponseJSON | undefined {
  const id = idOf(value);
  const response = partOf(value, "response");
  const clientDataJSON = partOf(response, "clientDataJSON");
  const authenticatorData = partOf(response, "authenticatorData");
  const signature = partOf(response, "signature");
  const userHandle = partOf(response, "userHandle");
  if (id === undefined || !isText(clientDataJSON, MAX_CLIENT_DATA)) return undefined;
  if (!isText(authenticatorData, MAX_BINARY) || !isText(signature, MAX_BINARY)) return undefined;
  const hasHandle = userHandle !== undefined && userHandle !== null && userHandle !== "";
  if (hasHandle && !isText(userHandle, MAX_ID)) return undefined;
  return {
    id,
    rawId: id,
    type: "public-key",
    clientExtensionResults: {},
    response: {
      clientDataJSON,
      authenticatorData,
      signature,
      ...(hasHandle ? { userHandle: userHandle as string } : {}),
    },
  };
}

/**
 * challengeOf reads the challenge that a client says it answers. Whether we made it is for the store to say. A page in a frame of
 * another origin answers none (Web Authentication Level 3 section 7.2, steps 12 and 13): ours are not framed.
 */
export function challengeOf(clientDataJSON: string | undefined): string | undefined {
  if (clientDataJSON === undefined) return undefined;
  try {
    const data: unknown = JSON.parse(Buffer.from(clientDataJSON, "base64url").toString("utf8"));
    const challenge = partOf(data, "challenge");
    const isFramed =
      partOf(data, "crossOrigin") === true || partOf(data, "topOrigin") !== undefined;
    return !isFramed && isText(challenge, 128) ? challenge : undefined;
  } catch {
    return undefined;
  }
}

function idOf(value: unknown): string | undefined {
  const id = partOf(value, "id");
  return partOf(value, "type") === "public-key" && isText(id, MAX_ID) ? id : undefined;
}

const TRANSPORTS: ReadonlySet<unknown> = new Set([
  "ble",
  "cable",
  "hybrid",
  "internal",
  "nfc",
  "smart-card",
  "usb",
]);

const transportsOf = (value: unknown): unknown[] =>
  Array.isArray(value) ? value.filter((one) => TRANSPORTS.has(one)).slice(0, 8) : [];
