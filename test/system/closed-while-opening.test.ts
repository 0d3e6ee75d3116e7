import { expect, test } from "vitest";
import { createBulwark } from "../../src/index.ts";

test("an application that is closed while it opens stays closed", async () => {
  const bulwark = createBulwark({
    mode: "development",
    issuer: "http://localhost:1",
    database: { insecureInMemory: true },
    // An application of its own: others of the same configuration are one.
    version: "closed while opening",
  });
  const opening = bulwark.ready();
  const closed = bulwark.close();
  await expect(opening).rejects.toMatchObject({ code: "SERVICE_UNAVAILABLE" });
  await closed;
  await expect(bulwark.ready()).rejects.toMatchObject({ code: "SERVICE_UNAVAILABLE" });
});
