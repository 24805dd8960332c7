/** interpret: the target that evaluates a program with the operations of core, to the bits of eager code. */

import type { Value } from "@adjoint/core";
import { type AnyOperation, constant, storageOf, typeOf } from "@adjoint/core/operations";
import type { Executable, Program, Storage, Target } from "./program.ts";

/** Evaluates programs operation by operation: what other targets are held to. */
export const interpret: Target = {
  name: "interpret",
  prepare: (program) => new Interpreter(program),
};

const copy = (x: Storage): Storage => (typeof x === "number" ? x : x.slice());

class Interpreter implements Executable {
  readonly #program: Program;
  readonly #states: Storage[] = [];
  #kept: Storage[] = [];

  constructor(program: Program) {
    this.#program = program;
  }

  run(args: readonly Storage[]): Storage[] {
    const { graph, results, updates } = this.#program;
    const values = new Map<Value, Value>();
    const known = (x: Value) => values.get(x) ?? x;
    graph.inputs.forEach((input, i) => {
      const storage = i < args.length ? args[i] : this.#states[i - args.length];
      values.set(input, constant(typeOf(input), storage as Storage));
    });
    for (const node of graph.nodes) {
      const type = typeOf(node);
      const { evaluate } = node.operation as AnyOperation;
      values.set(node, constant(type, evaluate(node.inputs.map(known), node.attributes as never, type)));
    }
    const outputs = graph.outputs.map((y) => copy(storageOf(known(y)) as Storage));
    updates.forEach((state, k) => {
      this.#states[state] = outputs[results + k] as Storage;
    });
    this.#kept = outputs.slice(results + updates.length);
    return outputs.slice(0, results);
  }

  writeState(index: number, data: Storage): void {
    this.#states[index] = copy(data);
  }

  readState(index: number): Storage {
    return copy(this.#states[index] as Storage);
  }

  readKept(index: number): Storage {
    return copy(this.#kept[index] as Storage);
  }

  explain(): string {
    return this.#program.graph.toString();
  }

  dispose(): void {
    this.#states.length = 0;
    this.#kept = [];
  }
}
