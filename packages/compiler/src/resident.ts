/** Resident: a program ready to run, whose states follow the parameters, buffers and gradients that they are of. */

import type { Graph } from "@adjoint/core";
import { type Cell, type Keeper, type TensorType, typeOf } from "@adjoint/core/operations";
import type { Executable, Program, Storage, Target } from "./program.ts";

/**
 * Runs a program so that its states are, before each call, what their cells hold, and after it the cells know that new
 * data is here. Several programs may share a cell: each remembers which version of it it has, and takes a newer one.
 */
export class Resident {
  readonly #executable: Executable;
  readonly #cells: readonly Cell[];
  /** The version of each cell that the state of the same place has; −1 before there is any. */
  readonly #seen: number[];
  readonly #updates: readonly number[];
  readonly #kept: readonly Cell[];
  readonly #updateTypes: readonly TensorType[];
  readonly #keptTypes: readonly TensorType[];
  readonly #states: Keeper;
  readonly #keeps: Keeper;

  constructor(target: Target, program: Program, cells: readonly Cell[], kept: readonly Cell[]) {
    const executable = target.prepare(program);
    this.#executable = executable;
    this.#cells = cells;
    this.#seen = cells.map(() => -1);
    this.#updates = program.updates;
    this.#kept = kept;
    const types = outputTypes(program.graph).slice(program.results);
    this.#updateTypes = types.slice(0, program.updates.length);
    this.#keptTypes = types.slice(program.updates.length);
    this.#states = { read: (place) => executable.readState(place) };
    this.#keeps = { read: (place) => executable.readKept(place) };
  }

  /** One call: the results, as fresh copies. */
  run(args: readonly Storage[]): Storage[] {
    const cells = this.#cells;
    const seen = this.#seen;
    for (let i = 0; i < cells.length; i++) {
      const cell = cells[i] as Cell;
      const { version } = cell;
      if (version === seen[i]) continue;
      this.#executable.writeState(i, cell.read());
      seen[i] = version;
    }
    const results = this.#executable.run(args);
    const updates = this.#updates;
    for (let k = 0; k < updates.length; k++) {
      const i = updates[k] as number;
      const cell = cells[i] as Cell;
      cell.keep(this.#states, i, this.#updateTypes[k] as TensorType);
      seen[i] = cell.version;
    }
    const kept = this.#kept;
    for (let k = 0; k < kept.length; k++)
      (kept[k] as Cell).keep(this.#keeps, k, this.#keptTypes[k] as TensorType);
    return results;
  }

  explain(): string {
    return this.#executable.explain();
  }

  /** Copies out what is still here, and gives the memory back. */
  dispose(): void {
    for (const cell of this.#cells) cell.release(this.#states);
    for (const cell of this.#kept) cell.release(this.#keeps);
    this.#executable.dispose();
  }
}

function outputTypes(graph: Graph): TensorType[] {
  return graph.outputs.map(typeOf);
}
