/** The public surface of @adjoint/native. Importing it makes the targets "c" and "auto" known to `compile`. */

import { registerTarget } from "@adjoint/compiler/targets";
import { auto } from "./auto.ts";
import { c } from "./target.ts";

registerTarget(c);
registerTarget(auto);

export { auto } from "./auto.ts";
export { type BlasInUse, type BlasOptions, useBlas } from "./dense/use.ts";
export type { Derivative } from "./emit/derivative.ts";
export { type EmitOptions, type Emitted, emitC } from "./emit.ts";
export { CompilerError, LibraryError, MemoryError } from "./errors.ts";
export { type Machine, machine } from "./machine.ts";
export { type CTargetOptions, c, cTarget } from "./target.ts";
