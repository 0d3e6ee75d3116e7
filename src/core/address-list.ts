import { addressRanges } from "./client-address.ts";
import { ForbiddenError } from "./errors.ts";
import type { AddressList } from "./kernel.ts";
import { type Wrapper, wrapper } from "./stage.ts";

export interface AddressListOptions {
  /** Addresses and CIDR ranges that are served, and no others. Default all. */
  readonly allow?: readonly string[] | undefined;
  /** Addresses and CIDR ranges that are not, whatever `allow` says. Default none. */
  readonly deny?: readonly string[] | undefined;
}

/**
 * addressList decides by the client's address; a mapped IPv4 address is IPv4. Deny wins, and where some are allowed an address that
 * nobody knows is not one of them.
 * Throws a TypeError that names the entry only if one is neither an address nor a range, or if nobody is allowed.
 */
export function addressList(
  { allow, deny }: AddressListOptions,
  fields: { readonly allow: string; readonly deny: string } = { allow: "allow", deny: "deny" },
): AddressList {
  if (allow?.length === 0) {
    throw new TypeError(`${fields.allow}: expected at least one address or CIDR range, came none`);
  }
  const isAllowed = allow === undefined ? () => true : addressRanges(allow, fields.allow);
  const isDenied = addressRanges(deny ?? [], fields.deny);
  return { isDenied, admits: (address) => !isDenied(address) && isAllowed(address) };
}

/**
 * withAddressList serves a route to some addresses alone: `GET(withAddressList({ allow: ['10.0.0.0/8'] })(handler), { ... })`. It stands
 * behind authentication; anybody else gets 403 FORBIDDEN, which is recorded like every denied access.
 * Throws a TypeError that names the entry only if one is neither an address nor a range, or if nobody is allowed.
 */
export function withAddressList(options: AddressListOptions): Wrapper {
  const { admits } = addressList(options);
  const refusal = new ForbiddenError("This is not served to your address.");
  return wrapper({
    phase: "limit",
    // Whose addresses they are is nobody's business.
    policy: { name: "withAddressList", options: undefined },
    bind:
      ({ edgeRefused }) =>
      ({ address }) => {
        if (admits(address)) return "pass";
        edgeRefused?.("address", address);
        return refusal;
      },
  });
}
