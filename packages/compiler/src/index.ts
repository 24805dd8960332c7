/** The public surface of @adjoint/compiler. */

export type { Executable, Program, Storage, Target } from "./program.ts";
