import { expect, test } from "vitest";
import { APP, corsApp } from "../../system/cors/support.ts";

const app = await corsApp({
  origins: [APP, "https://*.preview.example.com", "http://localhost:5173"],
});

/** An Origin as no browser writes it goes over the wire as it is. */
const send = async (origin: string, method = "GET", more = ""): Promise<string> => {
  const bytes = `${method} /health/live HTTP/1.1\r\nHost: localhost:${app.port}\r\nOrigin: ${origin}\r\n${more}Connection: close\r\n\r\n`;
  const [answer] = await app.raw(Buffer.from(bytes, "latin1"));
  return `${answer?.status} ${JSON.stringify(answer?.headers)}`;
};

// Allow-lists that compared by a prefix, a suffix of the text, or a pattern whose dot was any character.
test.each([
  "https://app.example.com.evil.example",
  "https://app.example.com:443",
  "https://app.example.com:444",
  "https://app.example.com/",
  "https://app.example.com.",
  "https://APP.EXAMPLE.COM",
  "http://app.example.com",
  "https://evil-app.example.com",
  "https://evilapp.example.com",
  "https://app-example.com",
  "https://appxexample.com",
  "https://app.example.com@evil.example",
  "https://app.example.com%40evil.example",
  "https://app.example.com%00.evil.example",
  "https://app.example.com\\.evil.example",
  "https://evil.example/app.example.com",
  "https://evil.example?https://app.example.com",
  "https://evil.example#https://app.example.com",
  "https://app.example.com, https://evil.example",
  "https://evil.example https://app.example.com",
  "https://\xe4pp.example.com",
  "//app.example.com",
  "app.example.com",
  "null",
  "NULL",
  "",
  "*",
  "https://*.preview.example.com",
  "https://preview.example.com",
  "https://xpreview.example.com",
  "https://a.preview.example.com:8443",
  "https://a.preview.example.com.evil.example",
  "https://a.preview.example.com.",
  "https://a..preview.example.com",
  "http://a.preview.example.com",
  "https://evil.example/.preview.example.com",
  "https://evil.example\\.preview.example.com",
  "http://localhost:5173.evil.example",
  "http://localhost:51730",
  "http://127.0.0.1:5173",
  "file://",
  "chrome-extension://app.example.com",
])("%j is served and told nothing, and asks for nothing", async (origin) => {
  const read = await send(origin);
  expect(read).toMatch(/^200 /);
  expect(read).not.toContain("access-control-");
  const asked = await send(origin, "OPTIONS", "Access-Control-Request-Method: GET\r\n");
  expect(asked).toMatch(/^403 /);
  expect(asked).not.toContain("access-control-");
});

// A pattern with the flag `g` keeps its place, and answers every other time.
test("the same origin is told the same, however often and whatever was asked between", async () => {
  for (let time = 0; time < 4; time += 1) {
    for (const origin of [APP, "https://a.preview.example.com"]) {
      expect(await send(origin)).toContain(`"access-control-allow-origin":"${origin}"`);
      expect(await send(`${origin}.evil.example`)).not.toContain("access-control-");
    }
  }
});

test("no answer says that everyone may read it with cookies", async () => {
  for (const origin of [APP, "https://a.preview.example.com", "https://evil.example"]) {
    expect(await send(origin)).not.toContain('"access-control-allow-origin":"*"');
  }
});
