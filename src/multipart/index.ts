export type { PartHeaders } from "./part-headers.ts";
export { type MultipartLimits, type Part, readMultipart } from "./read-multipart.ts";
