import { expect, test } from "vitest";
import { boundedFetch } from "./bounded-fetch.ts";

test.each<[url: string, insecureAllowLoopback: boolean]>([
  ["http://127.0.0.1:9/", false],
  ["http://localhost:9/", false],
  ["http://id.example.com/", true],
  ["http://127.0.0.1.example.com/", true],
  ["http://0.0.0.0:9/", true],
  ["http://[::ffff:127.0.0.1]:9/", true],
  ["ftp://127.0.0.1/", true],
  ["data:application/json,{}", true],
  ["file:///etc/passwd", true],
])("%s is not called, with loopback allowed: %s", async (url, insecureAllowLoopback) => {
  const call = boundedFetch(insecureAllowLoopback);
  await expect(
    call(url, { method: "GET", headers: {}, body: undefined, redirect: "manual" }),
  ).rejects.toThrow("the endpoint is not https");
});
