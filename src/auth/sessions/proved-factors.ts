import type { AuthenticationMethod, ProvedFactor } from "../../core/index.ts";

/** Methods that prove a second factor: a passkey with user verification is two in one. */
const SECOND: ReadonlySet<AuthenticationMethod> = new Set(["otp", "recovery", "passkey"]);

/** isSecondFactor tells whether a method counts beside a password. */
export const isSecondFactor = (method: AuthenticationMethod): boolean => SECOND.has(method);

/** provedSecondFactor tells whether a session has proved more than a first factor. */
export const provedSecondFactor = (methods: readonly ProvedFactor[]): boolean =>
  methods.some(({ method }) => isSecondFactor(method));

/** lastProved returns when one of the methods was last proved, in milliseconds, or undefined where none was. */
export function lastProved(
  methods: readonly ProvedFactor[],
  counts: (method: AuthenticationMethod) => boolean = () => true,
): number | undefined {
  let last: number | undefined;
  for (const { method, at } of methods) {
    if (counts(method) && (last === undefined || at > last)) last = at;
  }
  return last;
}

/** withProved adds a factor to those of a session; of one method only the latest proof stands. */
export const withProved = (
  methods: readonly ProvedFactor[],
  proved: ProvedFactor,
): readonly ProvedFactor[] => [...methods.filter(({ method }) => method !== proved.method), proved];
