export {
  type NewSession,
  type Session,
  SessionStore,
  type SessionStoreOptions,
} from "./session-store.ts";
