import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigurationError } from "../core/index.ts";
import { createKeyRing, generateSecret, type KeyRing } from "../crypto/index.ts";
import { makeFolder } from "../database/index.ts";
import type { ResolvedConfig } from "./config.ts";

export interface LazyKeyRing extends KeyRing {
  /** open finds the secrets. Throws a ConfigurationError only if there are none to be had. */
  open(): void;
}

/** wireKeyRing makes the ring that the services hold from the start and that `ready()` opens. */
export function wireKeyRing(config: ResolvedConfig): LazyKeyRing {
  let ring: KeyRing | undefined;
  const opened = (): KeyRing => {
    if (ring === undefined) throw new TypeError("the key ring is not open: await ready()");
    return ring;
  };
  return {
    open() {
      ring ??= createKeyRing(config.secrets ?? [generatedSecret(config)]);
    },
    derive: (purpose) => opened().derive(purpose),
    sealing: (purpose) => opened().sealing(purpose),
  };
}

/** A development's own secret, made once in its data folder, for its owner's eyes alone. */
function generatedSecret({ mode, database }: ResolvedConfig): string {
  if (mode === "production" || "url" in database) {
    throw new ConfigurationError([
      "secret: expected 32 random bytes in base64url (bulwark secret generate), came nothing",
    ]);
  }
  if (!("dataDir" in database)) return generateSecret();
  const file = join(database.dataDir, "secret");
  makeFolder(database.dataDir);
  try {
    writeFileSync(file, `${generateSecret()}\n`, { flag: "wx", mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    chmodSync(file, 0o600);
  }
  return readFileSync(file, "utf8").trim();
}
