/** The public surface of @adjoint/compiler. */

export { type Compiled, type CompileOptions, compile, explain } from "./compile.ts";
export { interpret } from "./interpret.ts";
export type { Executable, PrepareOptions, Program, Storage, Target } from "./program.ts";
export type { TargetName } from "./registry.ts";
export { type WasmFeatures, wasmFeatures } from "./targets/wasm/engine.ts";
export { setWorkerUrl, workerScript } from "./targets/wasm/workers.ts";
