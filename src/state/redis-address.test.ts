import { expect, test } from "vitest";
import { ConfigurationError } from "../core/index.ts";
import { redisAddress } from "./redis-address.ts";

const production = { production: true };
const development = { production: false };
const tls = { rejectUnauthorized: true };

test.each([
  ["redis://localhost", production, { host: "localhost", port: 6_379, db: 0 }],
  ["redis://127.0.0.1:7000/3", production, { host: "127.0.0.1", port: 7_000, db: 3 }],
  ["redis://[::1]:7000", production, { host: "::1", port: 7_000, db: 0 }],
  ["redis://redis.internal", development, { host: "redis.internal", port: 6_379, db: 0 }],
  [
    "rediss://redis.example.com",
    production,
    { host: "redis.example.com", port: 6_379, db: 0, tls },
  ],
  ["rediss://localhost:1", development, { host: "localhost", port: 1, db: 0, tls }],
  [
    "rediss://app:p%40ss%2F@[2001:db8::1]",
    { production: true, ca: "PEM" },
    {
      host: "2001:db8::1",
      port: 6_379,
      db: 0,
      username: "app",
      password: "p@ss/",
      tls: { ...tls, ca: "PEM" },
    },
  ],
  [
    "redis://:secret@localhost",
    production,
    { host: "localhost", port: 6_379, db: 0, password: "secret" },
  ],
  [
    "rediss+cluster://app:p%40ss@a.example.com:7000,[2001:db8::1],b.example.com:7001/",
    production,
    {
      host: "a.example.com",
      port: 7_000,
      db: 0,
      username: "app",
      password: "p@ss",
      tls,
      nodes: [
        { host: "a.example.com", port: 7_000 },
        { host: "2001:db8::1", port: 6_379 },
        { host: "b.example.com", port: 7_001 },
      ],
    },
  ],
  [
    "redis+cluster://127.0.0.1:7000",
    development,
    { host: "127.0.0.1", port: 7_000, db: 0, nodes: [{ host: "127.0.0.1", port: 7_000 }] },
  ],
])("%s", (url, options, address) => {
  expect(redisAddress(url, options)).toEqual(address);
});

test.each([
  "redis://redis.example.com",
  "redis://10.0.0.7:6379",
  "redis://localhost.example.com",
  "redis://127.0.0.1.example.com",
  "redis://127.1",
  "redis://0.0.0.0",
])("production refuses %s, which is not encrypted", (url) => {
  expect(() => redisAddress(url, production)).toThrow(/expected rediss:\/\//);
});

// Its nodes name each other: what is on this machine may lead elsewhere.
test.each(["redis+cluster://127.0.0.1:7000", "redis+cluster://redis.example.com"])(
  "production refuses %s, a cluster that is not encrypted",
  (url) => {
    expect(() => redisAddress(url, production)).toThrow(/REDIS_URL: expected rediss\+cluster:/);
  },
);

test.each([
  "",
  "rediss+cluster://",
  "rediss+cluster://a,",
  "rediss+cluster://a:1,b:x",
  "rediss+cluster://a/1",
  "rediss+cluster://a?tls=",
  "rediss+cluster://a,b#0",
  "localhost:6379",
  "http://localhost",
  "redis://",
  "redis://localhost/name",
  "redis://localhost/0/1",
  "redis://:%zz@localhost",
  "rediss://localhost?rejectUnauthorized=false",
  "rediss://localhost?tls=",
  "redis://localhost#0",
])("%s is a ConfigurationError", (url) => {
  expect(() => redisAddress(url, development)).toThrow(ConfigurationError);
});

test("an error never shows the password", () => {
  for (const url of [
    "redis://:hunter2@elsewhere",
    "http://:hunter2@a",
    "redis://:hunter2@a?b",
    "redis+cluster://:hunter2@a,b:x",
  ]) {
    expect(() => redisAddress(url, production)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("hunter2") }),
    );
  }
});
