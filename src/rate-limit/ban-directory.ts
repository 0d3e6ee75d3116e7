/** A ban that stands. */
export interface StandingBan {
  /** The address, or the /64 of it. */
  readonly network: string;
  /** Milliseconds since the epoch at which it ends. */
  readonly until: number;
  /** Which one it is in a row, from 1. */
  readonly step: number;
  readonly reason: string;
}

/** Which part of the bans to read, at what time. */
export interface BanQuery {
  readonly offset: number;
  readonly limit: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Bans, those that last longest first, and how many there are in all. */
export interface BanPage {
  readonly bans: readonly StandingBan[];
  readonly total: number;
}

/** BanDirectory is the list of bans that several processes share. Each call rejects where the store does not answer. */
export interface BanDirectory {
  put(ban: StandingBan, now: number): Promise<void>;
  remove(network: string): Promise<void>;
  page(query: BanQuery): Promise<BanPage>;
}

/** banPage cuts a page out of bans that are all at hand. */
export function banPage(bans: Iterable<StandingBan>, { offset, limit, now }: BanQuery): BanPage {
  const standing = [...bans]
    .filter(({ until }) => until > now)
    .toSorted((a, b) => b.until - a.until || (a.network < b.network ? -1 : 1));
  return { bans: standing.slice(offset, offset + limit), total: standing.length };
}
