import { BaseAPIHandler } from "../core/index.ts";

/**
 * AuthenticatedAPIHandler defines routes for signed-in people. Take it from `createBulwark().handlers`, where it is bound to
 * the sessions; imported bare it refuses, when it is defined, every route that demands a user.
 */
export class AuthenticatedAPIHandler extends BaseAPIHandler {}
