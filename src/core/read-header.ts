/** What headers can be read of: a context, or no request at all. */
export interface HeaderSource {
  readonly request?: Request | undefined;
  get?(name: string): string | null;
}

/** readHeader reads a header by the host's own way where it has one: the Request may have to be made first. Null where there is none. */
export const readHeader = (source: HeaderSource, name: string): string | null =>
  source.get === undefined ? (source.request?.headers.get(name) ?? null) : source.get(name);
