/** auto: the C target where there is a compiler that works, WebAssembly elsewhere. */

import type { Target } from "@adjoint/compiler";
import { wasm } from "@adjoint/compiler/targets";
import { CompilerError } from "./errors.ts";
import { c } from "./target.ts";

/** Whether the compiler has failed: it is not asked again. */
let isBroken = false;

/** Compiles with the machine's C compiler, and to WebAssembly once that is not there or has failed. */
export const auto: Target = {
  name: "auto",
  prepare(program, options) {
    if (!isBroken) {
      try {
        return c.prepare(program, options);
      } catch (error) {
        if (!(error instanceof CompilerError)) throw error;
        isBroken = true;
      }
    }
    return wasm.prepare(program, options);
  },
};
