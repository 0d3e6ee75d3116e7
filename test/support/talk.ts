import { connect, type Socket } from "node:net";

/**
 * talkTo sends bytes on a connection of its own and resolves with all that came until it closed. `on` may send more.
 * @public
 */
export const talkTo = (
  port: number,
  bytes: string,
  on?: (socket: Socket) => void,
): Promise<string> =>
  new Promise((resolve) => {
    let text = "";
    const socket = connect(port, "127.0.0.1", () => {
      socket.write(bytes);
      on?.(socket);
    });
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(text));
  });

/**
 * statusesOf are the statuses of all answers in what came.
 * @public
 */
export const statusesOf = (text: string): string[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => status ?? "");
