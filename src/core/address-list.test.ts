import { describe, expect, test } from "vitest";
import { type AddressListOptions, addressList } from "./address-list.ts";

const OFFICE = ["192.0.2.0/24", "2001:db8::/32"];

describe("an address", () => {
  test.each<[what: string, list: AddressListOptions, address: string | undefined, served: boolean]>(
    [
      ["is served where nothing is said", {}, "192.0.2.1", true],
      ["that is unknown is served where nothing is said", {}, undefined, true],
      ["in an allowed range is served", { allow: OFFICE }, "192.0.2.1", true],
      ["outside of it is not", { allow: OFFICE }, "192.0.3.1", false],
      ["that is mapped is its IPv4", { allow: OFFICE }, "::ffff:192.0.2.1", true],
      ["may be named as mapped", { allow: ["::ffff:192.0.2.0/120"] }, "192.0.2.77", true],
      ["of IPv6 is served by its range", { allow: OFFICE }, "2001:db8:ffff::1", true],
      ["of IPv6 in another spelling as well", { allow: OFFICE }, "2001:0DB8:0:0::1", true],
      ["of IPv6 outside of it is not", { allow: OFFICE }, "2001:db9::1", false],
      ["that is unknown is none of the allowed", { allow: OFFICE }, undefined, false],
      ["that is none at all neither", { allow: OFFICE }, "192.0.2", false],
      ["that is denied is not served", { deny: ["192.0.2.7"] }, "192.0.2.7", false],
      [
        "that is denied is not served as mapped either",
        { deny: ["192.0.2.7"] },
        "::ffff:192.0.2.7",
        false,
      ],
      ["beside a denied one is served", { deny: ["192.0.2.7"] }, "192.0.2.8", true],
      ["that is unknown is not a denied one", { deny: ["192.0.2.7"] }, undefined, true],
      [
        "that is denied is so within an allowed range",
        { allow: OFFICE, deny: ["192.0.2.7"] },
        "192.0.2.7",
        false,
      ],
      [
        "is denied by a range around an allowed one",
        { allow: ["192.0.2.7"], deny: OFFICE },
        "192.0.2.7",
        false,
      ],
    ],
  )("%s", (_what, list, address, served) => {
    expect(addressList(list).admits(address)).toBe(served);
  });
});

test.each<[list: AddressListOptions, message: string]>([
  [{ allow: ["192.0.2.0/33"] }, 'allow[0]: expected an address or CIDR range, came "192.0.2.0/33"'],
  [{ deny: ["192.0.2.1", "*"] }, 'deny[1]: expected an address or CIDR range, came "*"'],
  [{ allow: [] }, "allow: expected at least one address or CIDR range, came none"],
])("%j is refused", (list, message) => {
  expect(() => addressList(list)).toThrow(new TypeError(message));
});
