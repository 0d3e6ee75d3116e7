import type { Passkeys } from "../auth/index.ts";

export const wirePasskeys = (..._parts: unknown[]): Passkeys =>
  ({ list: async () => [], verifyLogin: async () => undefined }) as unknown as Passkeys;
