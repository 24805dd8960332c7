/** Libraries: C sources as functions to be called, from the cache or compiled now. */

import koffi from "koffi";
import { CompilerError } from "../errors.ts";
import { cached, defaultFolder, forget } from "./cache.ts";
import { type Compiler, failed, flagsOf, makeLibrary } from "./compiler.ts";

/** A library that is loaded, as long as one of its functions is known. */
export type Library = ReturnType<typeof koffi.load>;

/**
 * Loads the library of a source, and gives what `use` finds in it.
 *
 * Throws: CompilerError where it cannot be made, or not be used.
 */
export function useLibrary<T>(
  source: string,
  compiler: Compiler,
  folder: string | undefined,
  use: (library: Library) => T,
): T {
  const from = folder ?? defaultFolder();
  const key = JSON.stringify([compiler.command, compiler.identity, flagsOf(compiler, source), source]);
  const attempt = () =>
    use(koffi.load(cached(from, { key, source, make: (to) => makeLibrary(compiler, source, to) })));
  try {
    return attempt();
  } catch (error) {
    if (error instanceof CompilerError) throw error;
    // What the cache has may be of another machine.
    forget(from, key);
    try {
      return attempt();
    } catch (again) {
      forget(from, key);
      if (again instanceof CompilerError) throw again;
      throw failed(compiler.command, `a library that cannot be loaded (${(again as Error).message})`);
    }
  }
}
