export { digestsEqual, sha256 } from "./compare.ts";
export { createKeyRing, generateSecret, type KeyRing, secretProblem } from "./key-ring.ts";
