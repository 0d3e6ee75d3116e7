export { MemoryState, type MemoryStateOptions } from "./memory-state.ts";
