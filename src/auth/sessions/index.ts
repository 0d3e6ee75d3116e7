export { cookieAuthenticator, sessionCookieOf } from "./cookie-authenticator.ts";
export {
  BROWSER_COOKIE,
  DEVICE_COOKIE,
  expireCookie,
  readCookie,
  SESSION_COOKIE,
  setCookie,
} from "./cookies.ts";
export { type Device, Devices, type DevicesOptions } from "./devices.ts";
export { isSecondFactor, lastProved, provedSecondFactor, withProved } from "./proved-factors.ts";
export type { Session, SessionMode } from "./session.ts";
export {
  agentText,
  type NewSession,
  SessionStore,
  type SessionStoreOptions,
  type SessionView,
} from "./session-store.ts";
