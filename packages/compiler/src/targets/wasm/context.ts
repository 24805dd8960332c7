/** KernelContext: what the kernels of a module share. */

import type { DType } from "@adjoint/core";
import type { Buffer, CalledFunction } from "../../kernels/language.ts";
import type { LaneFunction } from "../../math/lanes.ts";
import type { FunctionReference, ModuleBuilder } from "./assembler.ts";
import type { ConstantPool } from "./numbers.ts";

/** What kernels of a module share. */
export interface KernelContext {
  readonly module: ModuleBuilder;
  readonly pool: ConstantPool;
  readonly fused: boolean;
  /** Where a buffer begins, in bytes. */
  addressOf(buffer: Buffer): number;
  /** A function of numbers outside of the module. */
  importOf(called: CalledFunction, dtype: DType): FunctionReference;
  /** A function that is computed by lanes; null where it has to be called. */
  laneFunction(called: CalledFunction): LaneFunction | null;
  /** A function of numbers that several kernels call. */
  scalarFunction(called: CalledFunction, dtype: "float32" | "float64"): FunctionReference;
}
