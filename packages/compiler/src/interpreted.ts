/** A target that runs plans one number at a time: slow, simple, and what the others are held to. */

import type { TypedArray, Value } from "@adjoint/core";
import { constant, type TensorType, typeOf } from "@adjoint/core/operations";
import { type Evaluation, type Plan, planOf } from "./graph/plan.ts";
import { productKernel } from "./graph/products.ts";
import { interpretKernel } from "./kernels/interpret.ts";
import type { Buffer } from "./kernels/language.ts";
import { printKernel } from "./kernels/print.ts";
import type { Executable, Program, Storage, Target } from "./program.ts";

const ARRAYS = { float64: Float64Array, float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;

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
    const { steps, inputs, outputs, commits } = this.#plan;
    args.forEach((arg, i) => {
      const buffer = inputs[i];
      if (buffer) write(this.#arrayOf(buffer), arg);
    });
    for (const step of steps) {
      if (step.kind === "kernel") interpretKernel(step.kernel, (buffer) => this.#arrayOf(buffer));
      else if (step.kind === "product")
        interpretKernel(productKernel(step), (buffer) => this.#arrayOf(buffer));
      else this.#evaluate(step);
    }
    const results = outputs.slice(0, this.#program.results).map((_, i) => this.#output(i));
    const news = commits.map(({ from }) => this.#arrayOf(from).slice());
    commits.forEach(({ to }, i) => {
      write(this.#arrayOf(to), news[i] as TypedArray);
    });
    return results;
  }

  writeState(index: number, data: Storage): void {
    write(this.#stateArray(index), data);
  }

  readState(index: number): Storage {
    return read(
      this.#stateArray(index),
      typeOf(this.#program.graph.inputs[this.#program.arguments + index] as Value),
    );
  }

  readKept(index: number): Storage {
    return this.#output(this.#program.results + this.#program.updates.length + index);
  }

  explain(): string {
    const { steps } = this.#plan;
    return steps
      .map((step) => {
        if (step.kind === "kernel") return printKernel(step.kernel);
        return step.kind === "product"
          ? `product ${step.n}×${step.k}×${step.m}`
          : `evaluation ${step.op.name}`;
      })
      .join("\n");
  }

  dispose(): void {
    this.#arrays.clear();
  }

  #stateArray(index: number): TypedArray {
    return this.#arrayOf(this.#plan.inputs[this.#program.arguments + index] as Buffer);
  }

  #output(index: number): Storage {
    const type = typeOf(this.#program.graph.outputs[index] as Value);
    return read(this.#arrayOf(this.#plan.outputs[index] as Buffer), type);
  }

  #arrayOf(buffer: Buffer): TypedArray {
    let array = this.#arrays.get(buffer);
    if (array === undefined) {
      array = new ARRAYS[buffer.dtype](buffer.size);
      this.#arrays.set(buffer, array);
    }
    return array;
  }

  #evaluate({ op, attributes, inputs, output }: Evaluation): void {
    const values = inputs.map(({ buffer, type }) => constant(type, read(this.#arrayOf(buffer), type)));
    write(this.#arrayOf(output.buffer), op.evaluate(values, attributes as never, output.type));
  }
}

function write(array: TypedArray, data: Storage): void {
  if (typeof data === "number") array[0] = data;
  else array.set(data);
}

function read(array: TypedArray, { shape }: TensorType): Storage {
  return shape.length === 0 ? (array[0] as number) : array.slice();
}
