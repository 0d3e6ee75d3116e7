import { type ErrorDetail, isUuid, NotFoundError, ValidationError } from "../../core/index.ts";
import { isRoleName } from "../names.ts";
import type { RoleModel } from "./grantor.ts";

const MAX_DESCRIPTION = 500;
const MAX_TENANT_NAME = 100;

/** checkRoleName returns the name of a role to be made. Throws a ValidationError only if no role may have it, or one from code does. */
export function checkRoleName(name: unknown, model: RoleModel): string {
  if (!isRoleName(name)) {
    throw refuse(
      "name",
      "Expected lower-case letters, digits, _ and -, at most 64, a letter first.",
    );
  }
  if (model.isRole(name)) throw refuse("name", "There is a role of this name already.");
  return name;
}

/** checkPermissions returns each permission once, in the model's order. Throws a ValidationError only if one is not known. */
export function checkPermissions(permissions: unknown, model: RoleModel): string[] {
  if (!Array.isArray(permissions)) throw refuse("permissions", "Expected a list of permissions.");
  const faults = permissions.flatMap((name: unknown, index): ErrorDetail[] =>
    model.isPermission(name)
      ? []
      : [
          {
            field: `permissions.${index}`,
            message: "There is no such permission.",
            code: "unknown_permission",
          },
        ],
  );
  if (faults.length > 0) throw new ValidationError(faults.slice(0, 50));
  return model.permissions.filter((name) => permissions.includes(name));
}

export function checkDescription(text: unknown): string | null {
  if (text === undefined || text === null || text === "") return null;
  return line("description", text, MAX_DESCRIPTION);
}

export const checkTenantName = (text: unknown): string => line("name", text, MAX_TENANT_NAME);

/** checkExpiry returns when an assignment ends, or null for never. Throws a ValidationError only if it is over already. */
export function checkExpiry(expiresAt: unknown, now: number): Date | null {
  if (expiresAt === undefined || expiresAt === null) return null;
  const isDate = expiresAt instanceof Date && !Number.isNaN(expiresAt.getTime());
  if (isDate && expiresAt.getTime() > now && expiresAt.getUTCFullYear() < 9_999) {
    return new Date(expiresAt.getTime());
  }
  throw refuse("expiresAt", "Expected a moment to come.");
}

/** checkId returns an id that can be one. Throws a NotFoundError only if it cannot. */
export function checkId(id: unknown, resource: string): string {
  if (typeof id === "string" && isUuid(id)) return id;
  throw new NotFoundError(resource);
}

function line(field: string, value: unknown, most: number): string {
  const text = typeof value === "string" ? value.normalize("NFC").trim() : "";
  if (text.length >= 1 && text.length <= most && !/\p{Cc}/u.test(text) && text.isWellFormed()) {
    return text;
  }
  throw refuse(field, `Expected 1 to ${most} characters on one line.`);
}

const refuse = (field: string, message: string): ValidationError =>
  new ValidationError([{ field, message, code: "invalid_value" }]);
