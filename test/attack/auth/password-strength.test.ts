import { context, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Answer, dataOf, testApp } from "../../support/app.ts";
import { countOf } from "../../system/auth/support.ts";

const app = await testApp();
const { call, dump, log, reset, signUp } = app;
beforeEach(reset);

const PATH = "/api/auth/password/strength";
const strength = (body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  call("POST", PATH, { body, headers });

interface Strength {
  readonly score: number;
  readonly hints: readonly string[];
}

describe("the meter", () => {
  test.each<[body: object, isScore: (score: number) => boolean]>([
    [{ password: "" }, (score) => score === 0],
    [{ password: "aaaaaaaaaaaaaaa" }, (score) => score <= 1],
    [{ password: "correct horse battery staple" }, (score) => score === 4],
    [{ password: "zuzannakowalska" }, (score) => score >= 2],
    // What the policy refuses is not called strong, however long it is.
    [{ password: "passwordpassword" }, (score) => score === 0],
    // What is known of the person, and of the application, weighs nothing.
    [{ password: "zuzannakowalska", name: "Zuzanna Kowalska" }, (score) => score <= 1],
    [{ password: "zuzannakowalska", email: "zuzannakowalska@example.com" }, (score) => score <= 1],
    [{ password: "localhostlocalhost" }, (score) => score <= 1],
  ])("%j", async (body, isScore) => {
    const answer = await strength(body);
    expect(answer.status).toBe(200);
    const { score, hints } = dataOf<Strength>(answer);
    expect(score, String(score)).toSatisfy(isScore);
    for (const hint of hints) expect(hint).toMatch(/^[A-Z].*\.$/);
    expect(hints.length > 0).toBe(score < 3);
  });

  test.each<[body: unknown]>([
    [{}],
    [{ password: 1 }],
    [{ password: ["a"] }],
    [{ password: "x".repeat(1_025) }],
    [{ password: "a", words: ["b"] }],
  ])("%#: what is no question is 400", async (body) =>
    expect((await strength(body)).status).toBe(400),
  );

  test("asks nobody who they are, and takes no account of who is signed in", async () => {
    const { token } = await signUp();
    const body = { password: "correct horse battery staple" };
    const mine = await call("POST", PATH, { token, body });
    expect(dataOf(mine)).toEqual(dataOf(await strength(body)));
  });
});

test("of 60 questions at once 30 are answered, and registering goes on", async () => {
  const answers = await Promise.all(
    Array.from({ length: 60 }, () => strength({ password: "aaaaaaaaaaaaaaa" })),
  );
  const statuses = answers.map(({ status }) => status).sort((a, b) => a - b);
  expect(statuses).toEqual([...Array(30).fill(200), ...Array(30).fill(429)]);
  const body = { email: "ada@example.com", name: "Ada", password: "a rather long password" };
  expect((await call("POST", "/api/auth/register", { body })).status).toBe(201);
});

describe("what is asked about", () => {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  beforeAll(() => {
    trace.setGlobalTracerProvider(provider);
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  });
  afterAll(() => {
    trace.disable();
    context.disable();
  });

  test("is kept nowhere: no row, no line, no span, no answer", async () => {
    const canaries = ["canary of a fine password", "canary of a name", "canary@example.com"];
    const [password, name, email] = canaries;
    const headers = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" };
    const answers = [
      await strength({ password, name, email }, headers),
      await strength({ password, name, email, words: [password] }),
      await strength({ password: [password], name, email }),
      await strength(`{"password":"${password}",`),
      await strength({ password: `${password}${"x".repeat(1_024)}`, name, email }),
      await call("GET", PATH),
      ...(await Promise.all(Array.from({ length: 40 }, () => strength({ password, name, email })))),
    ];
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 400, 405, 429]));
    for (const { headers: given } of answers) expect(given.get("cache-control")).toBe("no-store");
    // The exporter hears what is traced.
    await call("GET", "/api/products", { token: (await signUp()).token });
    expect(exporter.getFinishedSpans()).not.toEqual([]);
    const kept = {
      rows: await dump(),
      lines: log.join("\n"),
      spans: JSON.stringify(exporter.getFinishedSpans().map(spanText)),
      answers: answers.map((each) => each.text + JSON.stringify([...each.headers])).join("\n"),
    };
    for (const [where, text] of Object.entries(kept)) {
      for (const canary of canaries)
        expect(text.includes(canary), `${canary} in ${where}`).toBe(false);
    }
    expect(await countOf(app, "users")).toBe(1);
  });
});

const spanText = ({ name, attributes, events, status }: ReadableSpan): unknown => ({
  name,
  attributes,
  events,
  status,
});
