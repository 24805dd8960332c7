/** What of the machine would be used. */

import { type BlasInUse, offerOf } from "./dense/use.ts";
import { CompilerError } from "./errors.ts";
import { findBlas, findLibrary } from "./system/blas.ts";
import { defaultFolder } from "./system/cache.ts";
import { findCompiler } from "./system/compiler.ts";

/** What was found. */
export interface Machine {
  /** The compiler's command, and how many bytes its vectors for this processor have; null where none works. */
  readonly compiler: { readonly command: string; readonly vectorBytes: number } | null;
  /** Why there is no compiler. */
  readonly problem: string | null;
  /** The path of the library for the C target's large products; null where they are all our own. */
  readonly products: string | null;
  /** The library that `useBlas` takes, and what for; null where there is none. */
  readonly blas: BlasInUse | null;
  /** The folder of compiled libraries. */
  readonly cache: string;
}

/**
 * What is found on this machine: a compiler and where compiled libraries go, and a BLAS library.
 *
 * @example
 * typeof machine().cache // "string"
 */
export function machine(): Machine {
  const library = findLibrary(null);
  const found = {
    products: findBlas(null, null)?.path ?? null,
    blas: library && offerOf(library, null).offer,
    cache: defaultFolder(),
  };
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
