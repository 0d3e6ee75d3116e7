import { referenceAccess } from "./reference.ts";

/** The roles of the reference application, from the least to the most. */
export const ROLES = ["user", "moderator", "admin"] as const satisfies typeof referenceAccess.roles;

export type Role = (typeof ROLES)[number];

export const isRole = (name: unknown): name is Role => referenceAccess.isRole(name);
