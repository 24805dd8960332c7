/** A target that runs plans one number at a time: slow, simple, and what the others are held to. */

import type { TypedArray, Value } from "@adjoint/core";
import { typeOf } from "@adjoint/core/operations";
import { drive, type Machine } from "./graph/drive.ts";
import { planOf } from "./graph/plan.ts";
import { printSteps } from "./graph/print.ts";
import { productKernel } from "./graph/products.ts";
import type { Plan, Step } from "./graph/steps.ts";
import { interpretKernel } from "./kernels/interpret.ts";
import type { Buffer } from "./kernels/language.ts";
import type { Executable, Program, Storage, Target } from "./program.ts";
import { ARRAYS, readStorage, writeStorage } from "./storage.ts";

/** Runs programs by interpreting their kernels. */
export const interpreted: Target = { name: "interpreted", prepare: (program) => new Interpreted(program) };

class Interpreted implements Executable, Machine {
  readonly #program: Program;
  readonly #plan: Plan;
  readonly #arrays = new Map<Buffer, TypedArray>();

  constructor(program: Program) {
    this.#program = program;
    this.#plan = planOf(program);
    for (const { buffer, data } of this.#plan.constants) {
      if (typeof data === "number") this.arrayOf(buffer).fill(data);
      else this.arrayOf(buffer).set(data);
    }
  }

  run(args: readonly Storage[]): Storage[] {
    const { steps, inputs, outputs } = this.#plan;
    args.forEach((arg, i) => {
      const buffer = inputs[i];
      if (buffer) writeStorage(this.arrayOf(buffer), arg);
    });
    drive(steps, this);
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
    return this.arrayOf(this.#plan.inputs[this.#program.arguments + index] as Buffer);
  }

  #output(index: number): Storage {
    const type = typeOf(this.#program.graph.outputs[index] as Value);
    return readStorage(this.arrayOf(this.#plan.outputs[index] as Buffer), type);
  }

  does(step: Step): boolean {
    if (step.kind === "kernel") interpretKernel(step.kernel, (buffer) => this.arrayOf(buffer));
    else if (step.kind === "product") interpretKernel(productKernel(step), (buffer) => this.arrayOf(buffer));
    else return false;
    return true;
  }

  arrayOf(buffer: Buffer): TypedArray {
    let array = this.#arrays.get(buffer);
    if (array === undefined) {
      array = new ARRAYS[buffer.dtype](buffer.size);
      this.#arrays.set(buffer, array);
    }
    return array;
  }
}
