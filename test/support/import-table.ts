/** What one folder of src/ may import. */
export interface FolderRules {
  /** The level: a folder imports lower levels only, but for what `folders` lists on its own. */
  readonly level: number;
  /** Folders that it may import, by their doors. */
  readonly folders: readonly string[];
  /** npm packages that it may import; `node:` stands for Node's own modules. */
  readonly packages: readonly string[];
}

/** Folders of one feature each, which meet in `bulwark` and nowhere else. */
const FEATURES = [
  "headers",
  "cors",
  "csrf",
  "mail",
  "rate-limit",
  "auth",
  "access",
  "api-keys",
  "audit",
];
const BASE = ["core", "observability", "crypto", "state", "database"];

/**
 * The import table. A folder that is not named here fails the architecture test. ARCHITECTURE.md shows the same as a diagram.
 */
export const IMPORT_TABLE: Readonly<Record<string, FolderRules>> = {
  core: { level: 0, folders: [], packages: ["@standard-schema/spec", "ipaddr.js"] },
  observability: {
    level: 1,
    folders: ["core"],
    packages: ["node:", "@opentelemetry/api", "pino"],
  },
  crypto: { level: 1, folders: ["core"], packages: ["node:"] },
  state: { level: 1, folders: ["core"], packages: ["node:", "ioredis"] },
  database: {
    level: 2,
    folders: ["core", "observability", "crypto", "state"],
    packages: ["node:", "drizzle-orm", "pg", "@electric-sql/pglite"],
  },
  headers: { level: 3, folders: ["core"], packages: [] },
  cors: { level: 3, folders: ["core"], packages: [] },
  csrf: { level: 3, folders: ["core", "crypto"], packages: [] },
  multipart: { level: 3, folders: ["core"], packages: [] },
  mail: {
    level: 3,
    folders: ["core", "crypto", "database", "observability"],
    packages: ["node:", "drizzle-orm", "nodemailer"],
  },
  openapi: { level: 3, folders: ["core"], packages: ["@standard-schema/spec"] },
  "rate-limit": { level: 4, folders: ["core"], packages: ["node:"] },
  access: { level: 4, folders: ["core", "database"], packages: ["drizzle-orm"] },
  auth: {
    level: 4,
    folders: ["core", "crypto", "database", "observability"],
    packages: [
      "node:",
      "@node-rs/argon2",
      "@node-rs/bcrypt",
      "@simplewebauthn/server",
      "@zxcvbn-ts/core",
      "@zxcvbn-ts/language-common",
      "drizzle-orm",
      "jose",
      "openid-client",
      "uqr",
      "zod",
    ],
  },
  "api-keys": {
    level: 4,
    folders: ["core", "crypto", "database", "observability"],
    packages: ["node:", "drizzle-orm"],
  },
  audit: {
    level: 4,
    folders: ["core", "crypto", "database", "observability"],
    packages: ["node:", "drizzle-orm"],
  },
  bulwark: { level: 6, folders: [...BASE, ...FEATURES], packages: ["node:", "drizzle-orm"] },
  adapters: { level: 7, folders: ["core"], packages: ["node:"] },
  server: {
    level: 7,
    folders: [...BASE, ...FEATURES, "openapi", "bulwark", "adapters"],
    packages: ["node:", "drizzle-orm", "zod"],
  },
  cli: {
    level: 8,
    folders: [...BASE, ...FEATURES, "bulwark", "server"],
    packages: ["node:", "commander"],
  },
  ".": { level: 9, folders: [...BASE, ...FEATURES, "bulwark"], packages: [] },
};

/** Doors besides each folder's `index.ts`: heavy or optional parts that are entered by themselves. */
export const SECOND_DOORS: readonly string[] = [
  "src/adapters/node/index.ts",
  "src/auth/oidc/index.ts",
  "src/auth/passkeys/index.ts",
  "src/database/pglite.ts",
  "src/database/postgres.ts",
  "src/mail/smtp.ts",
  "src/rate-limit/redis/index.ts",
  "src/state/redis.ts",
];
