/** The WebAssembly engine underneath: what of it is used, typed, and which extensions it has. */

import { ModuleBuilder } from "./assembler.ts";

/** A linear memory. */
export interface WasmMemory {
  readonly buffer: ArrayBufferLike;
  grow(pages: number): number;
}

/** The part of JavaScript's WebAssembly interface that is used here. */
interface Engine {
  readonly validate: (bytes: Uint8Array) => boolean;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  ) => { readonly exports: Readonly<Record<string, unknown>> };
  readonly Memory: new (descriptor: {
    readonly initial: number;
    readonly maximum?: number;
    readonly shared?: boolean;
  }) => WasmMemory;
}

/** JavaScript's `WebAssembly`, which the language's own library types leave to those of platforms. */
export const engine: Engine = (globalThis as unknown as { readonly WebAssembly: Engine }).WebAssembly;

/** Whether the engine has relaxed SIMD, fused multiply-add above all: V8 since 11.4, Node since 21. */
export const hasRelaxedSimd = /* @__PURE__ */ once(() => {
  const module = new ModuleBuilder();
  module.define("probe", ["v128"], ["v128"], (f, [x]) => f.get(x!).get(x!).get(x!).op("f32x4.relaxed_madd"));
  return engine.validate(module.toBytes());
});

/** Whether memory can be shared by workers: browsers ask for cross-origin isolation. */
export const hasThreads = /* @__PURE__ */ once(() => {
  if (typeof SharedArrayBuffer === "undefined") return false;
  const module = new ModuleBuilder();
  module.importMemory("probe", "memory", { minimum: 1, maximum: 1, shared: true });
  module.define("probe", ["i32"], ["i32"], (f, [at]) => f.get(at!).i32(1).atomic("i32.atomic.rmw.add"));
  return engine.validate(module.toBytes());
});

/** What of WebAssembly's extensions compiled code uses here. */
export interface WasmFeatures {
  /** Multiplications and additions rounded once, twice as fast as apart. */
  readonly fusedMultiplyAdd: boolean;
  /** Memory that workers share. */
  readonly threads: boolean;
}

/**
 * What of WebAssembly's extensions compiled code uses here.
 *
 * @example
 * typeof wasmFeatures().threads // "boolean"
 */
export function wasmFeatures(): WasmFeatures {
  return { fusedMultiplyAdd: hasRelaxedSimd(), threads: hasThreads() };
}

/** The function, computed at the first call. */
function once<T>(compute: () => T): () => T {
  let known: { readonly result: T } | undefined;
  return () => {
    known ??= { result: compute() };
    return known.result;
  };
}
