export { digestsEqual, sha256 } from "./compare.ts";
export { createKeyRing, generateSecret, type KeyRing, secretProblem } from "./key-ring.ts";
export { hmacSha256, randomText } from "./mac.ts";
export { type SealContext, SealError, Sealer } from "./sealer.ts";
