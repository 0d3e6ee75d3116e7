import { rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { afterAll, expect, test } from "vitest";
import { lockFolder } from "../../src/database/index.ts";
import { launch, temporaryFolder } from "../support/process.ts";

const dataDir = temporaryFolder();
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

const SLOW = { timeout: 120_000 };

test(
  "of 5 processes that start at once on one new folder one serves, and 4 say why they do not",
  SLOW,
  async () => {
    const all = await Promise.all(Array.from({ length: 5 }, () => launch({ dataDir })));
    try {
      const outcomes = await Promise.all(
        all.map(({ until, ended }) =>
          Promise.race([
            until(/Bulwark is listening/).then(
              () => "serves",
              () => "ended",
            ),
            ended.then(({ code, stderr }) => `${code} ${stderr.trim()}`),
          ]),
        ),
      );
      const serving = all.filter((_, index) => outcomes[index] === "serves");
      expect(serving).toHaveLength(1);
      const live = await fetch(`${serving[0]?.url}/health/ready`);
      expect(live.status).toBe(200);
      const losers = all.filter((process) => process !== serving[0]);
      for (const { code, stderr } of await Promise.all(losers.map(({ ended }) => ended))) {
        expect(code).toBe(1);
        expect(stderr).toBe(`bulwark: the data folder is in use by another process: ${dataDir}\n`);
      }
    } finally {
      await Promise.all(all.map(({ stop }) => stop("SIGKILL")));
    }
  },
);

test("a port that is in use is named, and the folder is left free", SLOW, async () => {
  const other = createServer();
  const port = await new Promise<number>((resolve) => {
    other.listen(0, "127.0.0.1", () => resolve((other.address() as AddressInfo).port));
  });
  try {
    const { code, stdout, stderr } = await (await launch({ dataDir, port })).ended;
    expect(code).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toBe(`bulwark: PORT: 127.0.0.1:${port} is in use by another process\n`);
  } finally {
    other.close();
  }
  await (await lockFolder(dataDir)).release();
});
