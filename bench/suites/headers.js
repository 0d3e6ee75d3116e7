// Setting all default headers on a response: Node's own, and the Web's.
import { securityHeaders, setSecurityHeaders } from "../../dist/index.js";
import { apiHeaders } from "../../dist/headers/index.js";
import helmet from "helmet";
import { rateOf, runSuite } from "../harness.js";

/** A stand-in for Node's response with the map that setHeader writes to. */
class NodeResponse {
  #headers = new Map();
  setHeader(name, value) {
    this.#headers.set(name.toLowerCase(), [name, value]);
  }
  removeHeader(name) {
    this.#headers.delete(name.toLowerCase());
  }
}

export function headers() {
  const pairs = Object.entries(apiHeaders());
  const record = apiHeaders();
  const protect = helmet();
  const pass = () => {};
  return runSuite({
    name: "headers",
    unit: "responses/s",
    cases: {
      "loop on a Node response (floor)": () =>
        rateOf(() => {
          const response = new NodeResponse();
          for (const [name, value] of pairs) response.setHeader(name, value);
        }),
      "helmet on a Node response": () => rateOf(() => protect({}, new NodeResponse(), pass)),
      "Web Response, headers in the constructor (floor)": () =>
        rateOf(() => new Response("{}", { headers: record }), { batch: 200 }),
      "setSecurityHeaders(Response)": () =>
        rateOf(() => setSecurityHeaders(new Response("{}")), { batch: 200 }),
      "securityHeaders(Response)": () =>
        rateOf(() => securityHeaders(new Response("{}")), { batch: 200 }),
    },
    ratios: [
      {
        case: "loop on a Node response (floor)",
        to: "helmet on a Node response",
      },
      {
        case: "setSecurityHeaders(Response)",
        to: "Web Response, headers in the constructor (floor)",
      },
    ],
  });
}
