import { ConfigurationError, ValidationError } from "../core/index.ts";
import { redactText } from "../observability/index.ts";

/** The environment's names of what the configuration calls otherwise: an operator has set the former. */
const VARIABLES: Readonly<Record<string, string>> = {
  hosts: "BULWARK_HOSTS",
  issuer: "BULWARK_ISSUER",
  limits: "BULWARK_LIMITS",
  secret: "BULWARK_SECRET",
  trustedProxies: "BULWARK_TRUSTED_PROXIES",
};

/** A data folder that cannot be made or written. */
const FOLDER_CODES: ReadonlySet<string> = new Set([
  "EACCES",
  "EEXIST",
  "ENOENT",
  "ENOTDIR",
  "EPERM",
  "EROFS",
]);

const inVariables = (message: string): string =>
  message.replaceAll(
    /^( *)(\w+)(?=[:.[])/gm,
    (_match, indent: string, field: string) => `${indent}${VARIABLES[field] ?? field}`,
  );

/** explain says in words for an operator why a command failed. */
export function explain(error: unknown): string {
  if (error instanceof ConfigurationError) return inVariables(error.message);
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
  if (code !== undefined && FOLDER_CODES.has(code)) return `BULWARK_DATA_DIR: ${error.message}`;
  // What reads an entry of a list, such as a host, says what is wrong with it as a programmer's error.
  if (error instanceof TypeError) return redactText(inVariables(error.message));
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : "";
  return redactText(`${error.message}${cause}`);
}
