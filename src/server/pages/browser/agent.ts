/** The first that fits names the program: the later ones are in the names of the earlier. */
const PROGRAMS = [
  [/Edg(?:e|A|iOS)?\//, "Edge"],
  [/OPR\//, "Opera"],
  [/(?:Firefox|FxiOS)\//, "Firefox"],
  [/(?:Chrome|CriOS|Chromium)\//, "Chrome"],
  [/Version\/.*Safari\//, "Safari"],
] as const;

const SYSTEMS = [
  [/Windows/, "Windows"],
  [/Android/, "Android"],
  [/iPhone|iPad/, "iOS"],
  [/Mac OS X/, "macOS"],
  [/CrOS/, "ChromeOS"],
  [/Linux/, "Linux"],
] as const;

/** agentName says what a person calls a program that names itself so; an unknown one keeps its own words. */
export function agentName(agent: string | null): string {
  if (agent === null || agent === "") return "An unknown program";
  const program = PROGRAMS.find(([pattern]) => pattern.test(agent))?.[1];
  const system = SYSTEMS.find(([pattern]) => pattern.test(agent))?.[1];
  if (program === undefined) return agent.slice(0, 100);
  return system === undefined ? program : `${program} on ${system}`;
}
