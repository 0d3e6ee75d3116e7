export { PasskeyService, type PasskeyServiceOptions } from "./passkey-service.ts";
