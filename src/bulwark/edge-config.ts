import { type AddressList, addressList, checkTimeout } from "../core/index.ts";

/** EdgeConfig is who is served at all, over what, and for how long. */
export interface EdgeConfig {
  /** Addresses and CIDR ranges that are served, and no others; /health/* is served to all. Default all. */
  readonly allowedAddresses?: readonly string[] | undefined;
  /** Addresses and CIDR ranges that are not served, whatever is allowed. Default none. */
  readonly deniedAddresses?: readonly string[] | undefined;
  /** Whether what a trusted proxy says came over plain http is refused. Default `required` in production with `trustedProxies`. */
  readonly https?: "required" | "insecureOptional" | undefined;
  /** Longest time that a stage or a handler is waited for; a route's own `handlerTimeout` comes first. Default 30s. */
  readonly handlerTimeout?: string | undefined;
  /** Mean delay of the event loop above which requests are refused with 503, or `off`. Default 1s. */
  readonly loadShedding?: string | undefined;
}

export interface ResolvedEdge extends Pick<EdgeConfig, "allowedAddresses" | "deniedAddresses"> {
  readonly https: "required" | "insecureOptional";
  readonly handlerTimeoutMs: number;
  /** Undefined where nothing is shed. */
  readonly loadThresholdMs: number | undefined;
}

/** resolveEdge adds a problem for each field that is not valid, and fills in the defaults. */
export function resolveEdge(
  config: EdgeConfig & { readonly trustedProxies?: readonly string[] | undefined },
  issuer: string,
  mode: string,
  problems: string[],
): ResolvedEdge {
  const tell = <T>(read: () => T, otherwise: T): T => {
    try {
      return read();
    } catch (error) {
      problems.push((error as Error).message);
      return otherwise;
    }
  };
  tell(() => addressListOf(config), undefined);
  const { allowedAddresses, deniedAddresses } = config;
  const { loadShedding = "1s", handlerTimeout = "30s" } = config;
  return {
    allowedAddresses,
    deniedAddresses,
    https: httpsOf(config, issuer, mode, problems),
    handlerTimeoutMs: tell(() => checkTimeout(handlerTimeout, "handlerTimeout"), 1),
    loadThresholdMs:
      loadShedding === "off"
        ? undefined
        : tell(() => checkTimeout(loadShedding, "loadShedding"), 1),
  };
}

/** addressListOf is the list of a configuration, or undefined where it names nobody. */
export function addressListOf({
  allowedAddresses,
  deniedAddresses,
}: EdgeConfig): AddressList | undefined {
  if (allowedAddresses === undefined && deniedAddresses === undefined) return undefined;
  return addressList(
    { allow: allowedAddresses, deny: deniedAddresses },
    { allow: "allowedAddresses", deny: "deniedAddresses" },
  );
}

function httpsOf(
  { https, trustedProxies = [] }: Parameters<typeof resolveEdge>[0],
  issuer: string,
  mode: string,
  problems: string[],
): ResolvedEdge["https"] {
  const isBehindProxies = trustedProxies.length > 0;
  const isHttps = issuer.startsWith("https:");
  if (https === undefined) {
    return mode === "production" && isBehindProxies && isHttps ? "required" : "insecureOptional";
  }
  if (https !== "required" && https !== "insecureOptional") {
    const expected = '"required" or "insecureOptional"';
    problems.push(`https: expected ${expected}, came ${JSON.stringify(https)}`);
  } else if (https === "required" && !isBehindProxies) {
    problems.push('https: expected trustedProxies beside "required", came none');
  } else if (https === "required" && issuer !== "" && !isHttps) {
    problems.push(`https: expected an https issuer beside "required", came ${issuer}`);
  }
  return https;
}
