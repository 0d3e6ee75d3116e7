export {
  AuthService,
  type AuthServiceOptions,
  type Login,
  type PublicUser,
} from "./auth-service.ts";
export { normalizeEmail } from "./email.ts";
export { FirstAdmin } from "./first-admin.ts";
