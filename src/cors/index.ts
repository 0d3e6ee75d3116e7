export { type CORS, createCORS } from "./cors.ts";
export { type CORSOptions, createCORSPolicy } from "./cors-policy.ts";
export { isExactOrigin, originProblem } from "./origins.ts";
