import { afterAll } from "vitest";
import { startApp, type TestApp } from "../../support/app.ts";

export const APP = "https://app.example.com";
/** The exact origin, and a suffix beside it. */
const ORIGINS = [APP, "https://*.preview.example.com"];

/** corsApp starts an application with an allow-list, for one file. */
export async function corsApp(config: Parameters<typeof startApp>[0] = {}): Promise<TestApp> {
  const app = await startApp({ origins: ORIGINS, ...config });
  afterAll(() => app.close());
  await app.reset();
  return app;
}

/** accessHeaders are the names of all CORS headers of an answer. */
export const accessHeaders = ({ headers }: { readonly headers: Headers }): readonly string[] =>
  [...headers.keys()].filter((name) => name.startsWith("access-control-"));
