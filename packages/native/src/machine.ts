/** What of the machine the C target would use. */

import { CompilerError } from "./errors.ts";
import { findBlas } from "./system/blas.ts";
import { defaultFolder } from "./system/cache.ts";
import { findCompiler } from "./system/compiler.ts";

/** What was found. */
export interface Machine {
  /** The compiler's command, and how many bytes its vectors for this processor have; null where none works. */
  readonly compiler: { readonly command: string; readonly vectorBytes: number } | null;
  /** Why there is no compiler. */
  readonly problem: string | null;
  /** The library for large products; null where none was found, and products are all our own. */
  readonly blas: string | null;
  /** The folder of compiled libraries. */
  readonly cache: string;
}

/**
 * What the C target finds on this machine: a compiler, a BLAS library, and where compiled libraries go.
 *
 * @example
 * typeof machine().cache // "string"
 */
export function machine(): Machine {
  const found = { blas: findBlas(null, null)?.path ?? null, cache: defaultFolder() };
  try {
    const { command, features } = findCompiler(undefined, 10_000);
    return {
      compiler: { command: command.join(" "), vectorBytes: features.vectorBytes },
      problem: null,
      ...found,
    };
  } catch (error) {
    if (!(error instanceof CompilerError)) throw error;
    return { compiler: null, problem: error.message, ...found };
  }
}
