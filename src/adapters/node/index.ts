export { type NodeServer, type NodeServerOptions, serve } from "./serve.ts";
