// Setting all default headers on a response: Node's own, and the Web's. In CPU, which another process takes nothing of; without
// a body, which would cost more than the headers.
import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import helmet from "helmet";
import { apiHeaders } from "../../dist/headers/index.js";
import { securityHeaders, setSecurityHeaders } from "../../dist/index.js";
import { runSuite } from "../harness.js";

/** Runs per second of CPU, of about 200 ms. */
function cpuRateOf(work, batch = 500) {
  const started = process.cpuUsage();
  let runs = 0;
  let micros = 0;
  do {
    for (let i = 0; i < batch; i += 1) work();
    runs += batch;
    const { user, system } = process.cpuUsage(started);
    micros = user + system;
  } while (micros < 200_000);
  return (runs * 1_000_000) / micros;
}

export function headers() {
  const record = apiHeaders();
  const pairs = Object.entries(record);
  const incoming = new IncomingMessage(new Socket());
  const nodeResponse = () => new ServerResponse(incoming);
  const protect = helmet();
  const pass = () => {};
  const cpu = (work) => () => cpuRateOf(work);
  return runSuite({
    name: "headers",
    unit: "responses per second of CPU",
    cases: {
      "Node: nothing set": cpu(nodeResponse),
      "Node: loop (floor)": cpu(() => {
        const response = nodeResponse();
        for (const [name, value] of pairs) response.setHeader(name, value);
      }),
      "Node: setSecurityHeaders": cpu(() => setSecurityHeaders(nodeResponse())),
      "Node: helmet": cpu(() => protect(incoming, nodeResponse(), pass)),
      "Web: nothing set": cpu(() => new Response(null)),
      "Web: loop (floor)": cpu(() => {
        const response = new Response(null);
        for (const [name, value] of pairs) response.headers.set(name, value);
      }),
      "Web: setSecurityHeaders": cpu(() => setSecurityHeaders(new Response(null))),
      "Web: securityHeaders, a copy": cpu(() => securityHeaders(new Response(null))),
      "Web: in the constructor, as the pipeline does": cpu(
        () => new Response(null, { headers: record }),
      ),
    },
    ratios: [
      { case: "Node: setSecurityHeaders", to: "Node: helmet", atLeast: 1 },
      { case: "Node: setSecurityHeaders", to: "Node: loop (floor)" },
      // At most 1.1 times the cost.
      { case: "Web: setSecurityHeaders", to: "Web: loop (floor)", atLeast: 0.91 },
      { case: "Web: in the constructor, as the pipeline does", to: "Web: loop (floor)" },
    ],
  });
}
