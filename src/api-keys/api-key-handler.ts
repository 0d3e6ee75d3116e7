import { BaseAPIHandler, type Principal } from "../core/index.ts";

/**
 * APIKeyHandler defines routes for API keys alone: a person who is signed in is refused. Take it from `createBulwark().handlers`, where
 * it is bound to the keys. A tenant's own key has no user: a route with `requireAuth: true` admits it only if it names `tenantKey` in
 * its `principals`.
 */
export class APIKeyHandler extends BaseAPIHandler {
  static override readonly principals: readonly Principal["kind"][] = ["userKey", "tenantKey"];
}
