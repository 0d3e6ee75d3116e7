const MAX_NAME = 60;

/**
 * nameText cuts a person's own words down to letters, digits, spaces, apostrophes and hyphens, at most 60 characters on one
 * line. Without dots, colons, slashes and @ no mail program makes a link of them.
 */
export const nameText = (name: string): string =>
  Array.from(
    name
      .normalize("NFKC")
      .replaceAll(/\p{Cf}/gu, "")
      .replaceAll(/[^\p{L}\p{M}\p{N}'-]+/gu, " ")
      .trim(),
  )
    .slice(0, MAX_NAME)
    .join("")
    .trim();

/** lineText is a text of the configuration on one line, at most 60 characters. */
export const lineText = (text: string): string =>
  Array.from(text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]+/gu, " ").trim())
    .slice(0, MAX_NAME)
    .join("");

/** timeText writes a time to the minute, in UTC. */
export const timeText = (at: number): string =>
  `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;

/** addressText says from which network address, where one is known. */
export const addressText = (address: string | undefined): string =>
  address !== undefined && /^[0-9a-fA-F.:]{2,45}$/.test(address) ? `, from ${address}` : "";

/** In this order: Edge and Opera call themselves Chrome too, and Chrome calls itself Safari. */
const BROWSERS = [
  ["Edg", "Edge"],
  ["OPR", "Opera"],
  ["Firefox", "Firefox"],
  ["Chrome", "Chrome"],
  ["Safari", "Safari"],
  ["curl", "curl"],
] as const;

const SYSTEMS = [
  ["Android", "Android"],
  ["iPhone", "iPhone"],
  ["iPad", "iPad"],
  ["Windows", "Windows"],
  ["Mac OS X", "macOS"],
  ["CrOS", "ChromeOS"],
  ["Linux", "Linux"],
] as const;

/** agentText says in words of ours what a User-Agent claims to be: the header's own text is never shown. */
export function agentText(agent: string | undefined): string {
  const find = (names: readonly (readonly [string, string])[]): string | undefined =>
    names.find(([sign]) => agent?.includes(sign))?.[1];
  const browser = find(BROWSERS) ?? "an unknown program";
  const system = find(SYSTEMS);
  return system === undefined ? browser : `${browser} on ${system}`;
}
