import { ConfigurationError, ValidationError } from "../core/index.ts";
import { redactText } from "../observability/index.ts";

/** explain says in words for an operator why a command failed. */
export function explain(error: unknown): string {
  if (error instanceof ConfigurationError) return error.message;
  if (error instanceof ValidationError) {
    return (error.details ?? []).map(({ field, message }) => `${field}: ${message}`).join("\n");
  }
  if (!(error instanceof Error)) return "an unknown error";
  const { code, address, port } = error as NodeJS.ErrnoException & {
    address?: string;
    port?: number;
  };
  if (code === "EADDRINUSE") return `PORT: ${address}:${port} is in use by another process`;
  if (code === "EACCES" && port !== undefined)
    return `PORT: ${port} needs more rights than this process has`;
  if (code === "EACCES" || code === "EROFS") return `BULWARK_DATA_DIR: ${error.message}`;
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : "";
  return redactText(`${error.message}${cause}`);
}
