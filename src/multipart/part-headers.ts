import { BaseAPIError, type MediaType, parseContentType } from "../core/index.ts";

/** PartHeaders is what a part says of itself; all of it is the client's word. */
export interface PartHeaders {
  readonly name: string;
  readonly filename: string | undefined;
  readonly contentType: MediaType | undefined;
}

const malformed = (what: string): BaseAPIError =>
  new BaseAPIError("INVALID_REQUEST", `A part of the body: ${what}.`);

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * parsePartHeaders reads the header of a part (RFC 7578 sections 4.2 to 4.8). It is strict where two readers could differ: one
 * Content-Disposition of `form-data` with one `name`, nothing folded, no `filename*`, no backslash before a quote, no encoding.
 * Throws only INVALID_REQUEST.
 */
export function parsePartHeaders(bytes: Uint8Array): PartHeaders {
  const fields = fieldsOf(bytes);
  const encoding = fields.get("content-transfer-encoding");
  // Whoever undoes it sees another body than who does not (RFC 7578 section 4.7: nobody is to send it).
  if (encoding !== undefined && !/^(7bit|8bit|binary)$/i.test(encoding)) {
    throw malformed("a Content-Transfer-Encoding is not taken");
  }
  const parameters = dispositionOf(fields.get("content-disposition"));
  const name = parameters.get("name");
  if (name === undefined) throw malformed("expected a name");
  const type = fields.get("content-type");
  const contentType = type === undefined ? undefined : parseContentType(type);
  if (type !== undefined && contentType === undefined) {
    throw malformed("its Content-Type is no media type");
  }
  return { name, filename: parameters.get("filename"), contentType };
}

const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(\P{Cc}*)$/u;

function fieldsOf(bytes: Uint8Array): ReadonlyMap<string, string> {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw malformed("its header is not UTF-8");
  }
  const fields = new Map<string, string>();
  for (const line of text === "" ? [] : text.split("\r\n")) {
    const [, name, value] = FIELD.exec(line) ?? [];
    if (name === undefined || value === undefined) throw malformed("its header is malformed");
    const key = name.toLowerCase();
    if (fields.has(key)) throw malformed("a field of its header stands twice");
    fields.set(key, value.trimEnd());
  }
  return fields;
}

/** A backslash is a character like another (as browsers send it), but for one before a quote, which some read as an escape. */
const PARAMETER = /[ \t]*;[ \t]*([a-z]+)=(?:"((?:[^"\\]|\\(?!"))*)"|([!#$&'+.^_`|~0-9A-Za-z-]+))/gy;

function dispositionOf(value: string | undefined): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  if (value === undefined || !/^form-data(?![^ \t;])/i.test(value)) {
    throw malformed("expected a Content-Disposition of form-data");
  }
  PARAMETER.lastIndex = "form-data".length;
  while (PARAMETER.lastIndex < value.length) {
    const [, name, quoted, token] = PARAMETER.exec(value) ?? [];
    if (name === undefined || (name !== "name" && name !== "filename") || parameters.has(name)) {
      throw malformed("its Content-Disposition is malformed");
    }
    // A quote is all that is undone: line breaks stay as they were sent, %0D and %0A.
    parameters.set(name, (quoted ?? token ?? "").replaceAll("%22", '"'));
  }
  return parameters;
}
