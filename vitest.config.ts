import { defineConfig } from "vitest/config";

// PGlite takes half a gigabyte and seconds to start: two workers keep one each for all their files.
export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    typecheck: { include: ["src/**/*.test-d.ts", "test/**/*.test-d.ts"] },
    globalSetup: "test/support/global-setup.ts",
    isolate: false,
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
