// Setting all default headers on a response: Node's own, and the Web's.
import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import helmet from "helmet";
import { apiHeaders } from "../../dist/headers/index.js";
import { securityHeaders, setSecurityHeaders } from "../../dist/index.js";
import { rateOf, runSuite } from "../harness.js";

export function headers() {
  const record = apiHeaders();
  const pairs = Object.entries(record);
  const incoming = new IncomingMessage(new Socket());
  const nodeResponse = () => new ServerResponse(incoming);
  const protect = helmet();
  const pass = () => {};
  const web = (work) => () => rateOf(work, { batch: 200 });
  return runSuite({
    name: "headers",
    unit: "responses/s",
    cases: {
      "Node: nothing set": () => rateOf(nodeResponse),
      "Node: loop (floor)": () =>
        rateOf(() => {
          const response = nodeResponse();
          for (const [name, value] of pairs) response.setHeader(name, value);
        }),
      "Node: setSecurityHeaders": () => rateOf(() => setSecurityHeaders(nodeResponse())),
      "Node: helmet": () => rateOf(() => protect(incoming, nodeResponse(), pass)),
      "Web: nothing set": web(() => new Response("{}")),
      "Web: loop (floor)": web(() => {
        const response = new Response("{}");
        for (const [name, value] of pairs) response.headers.set(name, value);
      }),
      "Web: setSecurityHeaders": web(() => setSecurityHeaders(new Response("{}"))),
      "Web: securityHeaders, a copy": web(() => securityHeaders(new Response("{}"))),
      "Web: in the constructor, as the pipeline does": web(
        () => new Response("{}", { headers: record }),
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
