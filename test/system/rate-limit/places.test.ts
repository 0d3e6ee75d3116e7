import { beforeEach, expect, test } from "vitest";
import { withConcurrencyLimit } from "../../../src/rate-limit/index.ts";
import { testApp } from "../../support/app.ts";

const app = await testApp();
beforeEach(app.reset);

const { handlers, limits, observability } = app.bulwark;

test("of five at once two run, three are 429 and are counted; a place that is given back is free", async () => {
  let open = (): void => {};
  let running = 0;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const route = handlers.SignInHandler.GET(
    withConcurrencyLimit(limits.places, { name: "exports", places: 2 })(async () => {
      running += 1;
      await gate;
      return "done";
    }),
    { path: "/exports", requireAuth: false },
  );
  const ask = (): Promise<Response> =>
    Promise.resolve(route(new Request(`http://localhost:${app.port}/exports`), {}));

  const answers = Array.from({ length: 5 }, ask);
  const refused: Response[] = [];
  for (const answer of answers) {
    void answer.then((response) => {
      if (response.status === 429) refused.push(response);
    });
  }
  await expect.poll(() => refused.length, { timeout: 10_000 }).toBe(3);
  expect(running).toBe(2);
  expect(await refused[0]?.json()).toMatchObject({ "violated-policies": ["exports"] });
  expect(refused[0]?.headers.get("retry-after")).toBe("1");
  expect(observability.metrics.text()).toContain(
    'bulwark_rate_limit_refusals_total{policy="exports"} 3\n',
  );
  expect(limits.overview().counters.refused).toContainEqual({ policy: "exports", count: 3 });
  open();
  const statuses = (await Promise.all(answers)).map(({ status }) => status);
  expect(statuses.filter((status) => status === 200)).toHaveLength(2);
  await expect.poll(async () => (await ask()).status).toBe(200);
});
