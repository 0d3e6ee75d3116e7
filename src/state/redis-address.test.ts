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

test.each([
  "",
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
  for (const url of ["redis://:hunter2@elsewhere", "http://:hunter2@a", "redis://:hunter2@a?b"]) {
    expect(() => redisAddress(url, production)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("hunter2") }),
    );
  }
});
