import type { IncomingMessage, ServerResponse } from "node:http";

const asked = new WeakSet<IncomingMessage>();

/**
 * askForBody tells a client that waits for a word before it sends its body that it is wanted (RFC 9110 section 10.1.1): once, and only
 * as somebody reads it. Whoever is refused by their headers sends none, and HTTP/1.0 knows no such word.
 */
export function askForBody(incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { expect } = incoming.headers;
  if (
    expect === undefined ||
    incoming.httpVersionMinor === 0 ||
    outgoing.headersSent ||
    asked.has(incoming)
  )
    return;
  if (!/(?:^|\W)100-continue(?:$|\W)/i.test(expect)) return;
  asked.add(incoming);
  outgoing.writeContinue();
}
