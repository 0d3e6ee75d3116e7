import { afterEach, describe, expect, test } from "vitest";
import { addressList } from "../../../src/core/index.ts";
import { ask, type Client, open, start, type TestServer, talk } from "./support.ts";

let server: TestServer;
afterEach(() => server.close());

const connections = (count: number, from?: string): Promise<readonly Client[]> =>
  Promise.all(
    Array.from({ length: count }, async () => {
      const client = open(server.port, from);
      await client.connected;
      return client;
    }),
  );

const end = async (clients: readonly Client[]): Promise<void> => {
  for (const { socket } of clients) socket.destroy();
  await Promise.all(clients.map(({ closed }) => closed));
};

describe("connections of one address", () => {
  test("are served up to its share; another address has its own, and what is closed is free again", async () => {
    server = await start({ maxConnectionsPerAddress: 50 });
    const held = await connections(50, "127.0.0.2");
    expect(await ask(server.port, "/ok", "127.0.0.2")).toBe(0);
    expect(await ask(server.port, "/ok", "127.0.0.3")).toBe(200);
    expect(server.refused).toEqual(["connections_per_address"]);
    await end(held);
    let status = 0;
    while (status === 0) status = await ask(server.port, "/ok", "127.0.0.2");
    expect(status).toBe(200);
  });

  test("in a burst, no more than its share are served at once", async () => {
    server = await start({ maxConnectionsPerAddress: 50 });
    const answers = await Promise.all(
      Array.from({ length: 200 }, () => {
        const client = open(server.port, "127.0.0.2");
        client.socket.write("GET /wait HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n");
        return client.connected.then(() => client);
      }),
    );
    await server.refusedTimes("connections_per_address", 150);
    server.waiting.open();
    const texts = await Promise.all(answers.map(({ closed }) => closed));
    expect(texts.filter((text) => text.startsWith("HTTP/1.1 200 ")).length).toBe(50);
    expect(texts.filter((text) => text === "").length).toBe(150);
  });

  test("of a trusted proxy are everybody's: they are not counted, neither by address nor in all", async () => {
    const isTrustedProxy = (peer: string): boolean => peer === "127.0.0.9";
    server = await start({ maxConnectionsPerAddress: 5, maxConnections: 10 }, { isTrustedProxy });
    const proxy = await connections(40, "127.0.0.9");
    expect(await ask(server.port, "/ok", "127.0.0.9")).toBe(200);
    expect(await ask(server.port, "/ok", "127.0.0.2")).toBe(200);
    const others = [await connections(5, "127.0.0.2"), await connections(5, "127.0.0.3")];
    expect(await ask(server.port, "/ok", "127.0.0.2")).toBe(0);
    expect(await ask(server.port, "/ok", "127.0.0.4")).toBe(0);
    expect(await ask(server.port, "/ok", "127.0.0.9")).toBe(200);
    expect(server.refused).toEqual(["connections", "connections"]);
    await end([...proxy, ...others.flat()]);
  });
});

test("connections in all are served up to their number, from however many addresses", async () => {
  server = await start({ maxConnections: 60 });
  const held = [];
  for (const last of [2, 3, 4, 5, 6, 7]) held.push(...(await connections(10, `127.0.0.${last}`)));
  expect(await ask(server.port, "/ok", "127.0.0.8")).toBe(0);
  expect(server.refused).toEqual(["connections"]);
  // Whoever is in is served.
  const [first] = held;
  first?.socket.write("GET /ok HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n");
  expect(await first?.closed).toContain("HTTP/1.1 200 OK");
  await end(held);
});

test("a denied peer is closed before it says a word, and others are served", async () => {
  server = await start({}, { addresses: addressList({ deny: ["127.0.0.64/26"] }) });
  expect(await ask(server.port, "/ok", "127.0.0.66")).toBe(0);
  const silent = open(server.port, "127.0.0.127");
  expect(await silent.closed).toBe("");
  expect(server.refused).toEqual(["denied_connection", "denied_connection"]);
  expect(await ask(server.port, "/ok", "127.0.0.63")).toBe(200);
  expect(await ask(server.port, "/ok", "127.0.0.128")).toBe(200);
});

test("a trusted proxy that is denied by mistake is refused by its client's address alone", async () => {
  server = await start(
    {},
    {
      isTrustedProxy: (peer) => peer === "127.0.0.66",
      addresses: addressList({ deny: ["127.0.0.64/26", "198.51.100.1"] }),
      clientAddress: (source) => source.get("x-forwarded-for") ?? undefined,
    },
  );
  const through = (client: string): Promise<string> => {
    const fields = `host: h\r\nx-forwarded-for: ${client}\r\nconnection: close\r\n`;
    return talk(server.port, `GET /ok HTTP/1.1\r\n${fields}\r\n`, "127.0.0.66");
  };
  expect(await through("192.0.2.1")).toContain("HTTP/1.1 200 ");
  const refusal = await through("198.51.100.1");
  expect(refusal).toContain("HTTP/1.1 403 ");
  expect(refusal).toContain('"code":"FORBIDDEN"');
});
