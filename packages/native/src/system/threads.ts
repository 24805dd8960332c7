/** Threads: the workers that share the parts of programs, one set in a process. */

import { SHARING } from "../c/threads.ts";
import { CompilerError } from "../errors.ts";
import type { Compiler } from "./compiler.ts";
import { useLibrary } from "./library.ts";

/** Who does the parts of tasks. */
interface Team {
  /** The address of the function that does all parts of a task. */
  readonly share: bigint;
  /** Makes sure of a number of workers; returns how many there are. */
  hire(wanted: number): number;
}

/** Not asked for yet: undefined; not to be had: null. */
let team: Team | null | undefined;

/**
 * The address of the function that does the parts of a task on so many threads; null where the machine has no threads for
 * C: then programs do their parts one after the other.
 */
export function sharing(threads: number, compiler: Compiler, folder: string | undefined): bigint | null {
  if (threads < 2) return null;
  if (team === undefined) team = gather(compiler, folder);
  if (team === null || team.hire(threads - 1) === 0) return null;
  return team.share;
}

function gather(compiler: Compiler, folder: string | undefined): Team | null {
  if (process.platform === "win32") return null;
  try {
    return useLibrary(SHARING, compiler, folder, (library) => ({
      share: library.symbol("share") as bigint,
      hire: library.func("hire", "int", ["int"]) as Team["hire"],
    }));
  } catch (error) {
    if (error instanceof CompilerError) return null;
    throw error;
  }
}
