/** A media type, lower-cased, with its parameters. */
export interface MediaType {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
/** White space that a field may hold (RFC 9110 5.6.3); what else JavaScript takes for it is a fault. */
const OWS = "[ \\t]*";
const ESSENCE = new RegExp(`^${OWS}(${TOKEN}/${TOKEN})${OWS}(;.*?)?${OWS}$`);
const PARAMETER = new RegExp(
  `${OWS};${OWS}(?:(${TOKEN})=(?:(${TOKEN})|"((?:[^"\\\\]|\\\\.)*)"))?`,
  "y",
);

/**
 * parseContentType is the only reader of Content-Type, so that no two checks can read it differently. It is strict: a
 * value that is not one whole media type (RFC 9110 section 8.3.1), such as two joined by a comma, is undefined.
 */
export function parseContentType(value: string | null): MediaType | undefined {
  if (value === null || value.length > 255) return undefined;
  const match = ESSENCE.exec(value);
  if (match === null) return undefined;
  const parameters = new Map<string, string>();
  const rest = match[2] ?? "";
  PARAMETER.lastIndex = 0;
  while (PARAMETER.lastIndex < rest.length) {
    const parameter = PARAMETER.exec(rest);
    if (parameter === null) return undefined;
    const name = parameter[1]?.toLowerCase();
    if (name === undefined) continue;
    if (parameters.has(name)) return undefined;
    parameters.set(name, parameter[2] ?? (parameter[3] ?? "").replaceAll(/\\(.)/g, "$1"));
  }
  return { type: (match[1] ?? "").toLowerCase(), parameters };
}

/** isJson accepts application/json and any +json, in UTF-8 (RFC 8259 section 8.1). */
export function isJson(media: MediaType | undefined): boolean {
  if (media === undefined) return false;
  const charset = media.parameters.get("charset")?.toLowerCase() ?? "utf-8";
  if (charset !== "utf-8" && charset !== "utf8") return false;
  return media.type === "application/json" || /^application\/.+\+json$/.test(media.type);
}
