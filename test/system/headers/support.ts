import { afterAll } from "vitest";
import type { RawAnswer } from "../../attack/raw-http.ts";
import { startApp, type TestApp } from "../../support/app.ts";

const HOST = "api.example.com";

/** An application as it runs in production, and a request of it as the proxy before it sends one. */
export interface ProductionApp {
  readonly app: TestApp;
  readonly get: (path: string, headers?: string) => Promise<RawAnswer>;
}

export async function productionApp(): Promise<ProductionApp> {
  const app = await startApp({
    mode: "production",
    issuer: `https://${HOST}`,
    emailVerification: "off",
  });
  afterAll(() => app.close());
  const get = async (path: string, headers = ""): Promise<RawAnswer> => {
    const [answer] = await app.raw(
      `GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n${headers}\r\n`,
    );
    if (answer === undefined) throw new Error(`no answer to ${path}`);
    return answer;
  };
  return { app, get };
}
