/** A target that runs plans one number at a time: slow, simple, and what the others are held to. */

import type { TypedArray, Value } from "@adjoint/core";
import { constant, typeOf } from "@adjoint/core/operations";
import { planOf } from "./graph/plan.ts";
import { printSteps } from "./graph/print.ts";
import { productKernel } from "./graph/products.ts";
import type { Evaluation, Passes, Plan, Scan, Step } from "./graph/steps.ts";
import { interpretKernel } from "./kernels/interpret.ts";
import type { Buffer } from "./kernels/language.ts";
import type { Executable, Program, Storage, Target } from "./program.ts";
import { ARRAYS, readStorage, writeStorage } from "./storage.ts";

/** Runs programs by interpreting their kernels. */
export const interpreted: Target = { name: "interpreted", prepare: (program) => new Interpreted(program) };

class Interpreted implements Executable {
  readonly #program: Program;
  readonly #plan: Plan;
  readonly #arrays = new Map<Buffer, TypedArray>();

  constructor(program: Program) {
    this.#program = program;
    this.#plan = planOf(program);
    for (const { buffer, data } of this.#plan.constants) {
      if (typeof data === "number") this.#arrayOf(buffer).fill(data);
      else this.#arrayOf(buffer).set(data);
    }
  }

  run(args: readonly Storage[]): Storage[] {
    const { steps, inputs, outputs } = this.#plan;
    args.forEach((arg, i) => {
      const buffer = inputs[i];
      if (buffer) writeStorage(this.#arrayOf(buffer), arg);
    });
    this.#steps(steps);
    return outputs.slice(0, this.#program.results).map((_, i) => this.#output(i));
  }

  writeState(index: number, data: Storage): void {
    writeStorage(this.#stateArray(index), data);
  }

  readState(index: number): Storage {
    return readStorage(
      this.#stateArray(index),
      typeOf(this.#program.graph.inputs[this.#program.arguments + index] as Value),
    );
  }

  readKept(index: number): Storage {
    return this.#output(this.#program.results + this.#program.updates.length + index);
  }

  explain(): string {
    return printSteps(this.#plan.steps);
  }

  dispose(): void {
    this.#arrays.clear();
  }

  #stateArray(index: number): TypedArray {
    return this.#arrayOf(this.#plan.inputs[this.#program.arguments + index] as Buffer);
  }

  #output(index: number): Storage {
    const type = typeOf(this.#program.graph.outputs[index] as Value);
    return readStorage(this.#arrayOf(this.#plan.outputs[index] as Buffer), type);
  }

  #arrayOf(buffer: Buffer): TypedArray {
    let array = this.#arrays.get(buffer);
    if (array === undefined) {
      array = new ARRAYS[buffer.dtype](buffer.size);
      this.#arrays.set(buffer, array);
    }
    return array;
  }

  #steps(steps: readonly Step[]): void {
    for (const step of steps) {
      switch (step.kind) {
        case "kernel":
          interpretKernel(step.kernel, (buffer) => this.#arrayOf(buffer));
          break;
        case "product":
          interpretKernel(productKernel(step), (buffer) => this.#arrayOf(buffer));
          break;
        case "evaluation":
          this.#evaluate(step);
          break;
        case "copy":
          this.#arrayOf(step.to).set(this.#arrayOf(step.from));
          break;
        case "choice":
          this.#steps(this.#arrayOf(step.condition)[0] === 0 ? step.whenFalse : step.whenTrue);
          break;
        case "scan":
          this.#scan(step);
          break;
        case "passes":
          this.#passes(step);
          break;
      }
    }
  }

  #scan({ length, reverse, taken, body, given }: Scan): void {
    for (let k = 0; k < length; k++) {
      const i = reverse ? length - 1 - k : k;
      for (const { stream, entry } of taken) {
        const start = i * entry.size;
        this.#arrayOf(entry).set(this.#arrayOf(stream).subarray(start, start + entry.size));
      }
      this.#steps(body);
      for (const { stream, entry } of given) this.#arrayOf(stream).set(this.#arrayOf(entry), i * entry.size);
    }
  }

  #passes({ test, holds, passes }: Passes): void {
    // For each step, what each pass has saved there.
    const stack: TypedArray[][][] = [];
    passes.forEach(({ taken, before, body, after }, p) => {
      const go = (saved: TypedArray[][]): void => {
        for (const { pass, place, to } of taken)
          this.#arrayOf(to).set((saved[pass] as TypedArray[])[place] as TypedArray);
        const kept = before.map((buffer) => this.#arrayOf(buffer).slice());
        this.#steps(body);
        saved[p] = [...kept, ...after.map((buffer) => this.#arrayOf(buffer).slice())];
      };
      if (p === 0) {
        for (;;) {
          this.#steps(test);
          if (this.#arrayOf(holds)[0] === 0) break;
          const saved: TypedArray[][] = [];
          go(saved);
          if (passes.length > 1) stack.push(saved);
        }
      } else if (p % 2 === 0) stack.forEach(go);
      else for (let k = stack.length - 1; k >= 0; k--) go(stack[k] as TypedArray[][]);
    });
  }

  #evaluate({ op, attributes, inputs, output }: Evaluation): void {
    const values = inputs.map(({ buffer, type }) => constant(type, readStorage(this.#arrayOf(buffer), type)));
    writeStorage(this.#arrayOf(output.buffer), op.evaluate(values, attributes as never, output.type));
  }
}
