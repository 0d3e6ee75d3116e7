export { MemoryState, type MemoryStateOptions } from "./memory-state.ts";
export { isClusterUrl } from "./redis-address.ts";
