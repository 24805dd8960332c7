/** A target that interprets programs, and keeps what they were given and gave: to be run in C later, all at once. */

import { interpreted } from "../src/interpreted.ts";
import type { Executable, Program, Storage, Target } from "../src/program.ts";

/** One run of a program. */
export interface Run {
  readonly program: Program;
  readonly args: readonly Storage[];
  readonly states: ReadonlyMap<number, Storage>;
  readonly results: readonly Storage[];
}

/** A target whose programs' first runs are kept in a list. */
export function recording(runs: Run[]): Target {
  return {
    name: "recorded",
    prepare(program) {
      const inner = interpreted.prepare(program);
      const states = new Map<number, Storage>();
      let isFirst = true;
      const executable: Executable = {
        run(args) {
          const given = args.map(copied);
          const results = inner.run(args);
          if (isFirst) runs.push({ program, args: given, states, results: results.map(copied) });
          isFirst = false;
          return results;
        },
        writeState(index, data) {
          if (isFirst) states.set(index, copied(data));
          inner.writeState(index, data);
        },
        readState: (index) => inner.readState(index),
        readKept: (index) => inner.readKept(index),
        explain: () => inner.explain(),
        dispose: () => inner.dispose(),
      };
      return executable;
    },
  };
}

const copied = (data: Storage): Storage => (typeof data === "number" ? data : data.slice());
