export { isSecondFactor, lastProved, provedSecondFactor, withProved } from "./proved-factors.ts";
export type { Session, SessionMode } from "./session.ts";
export {
  agentText,
  type NewSession,
  SessionStore,
  type SessionStoreOptions,
  type SessionView,
} from "./session-store.ts";
