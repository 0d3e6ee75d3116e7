/** The roles of the reference application, from the least to the most. */
export const ROLES = ["user", "moderator", "admin"] as const;

export type Role = (typeof ROLES)[number];

export const isRole = (name: unknown): name is Role =>
  typeof name === "string" && (ROLES as readonly string[]).includes(name);
