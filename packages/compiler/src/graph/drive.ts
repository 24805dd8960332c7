/** Driving: the steps of a plan one after the other, branches and loops in JavaScript, the rest by a machine. */

import type { TypedArray } from "@adjoint/core";
import { constant } from "@adjoint/core/operations";
import type { Buffer } from "../kernels/language.ts";
import { readStorage, writeStorage } from "../storage.ts";
import type { Evaluation, Passes, Scan, Step } from "./steps.ts";

/** What does the work. */
export interface Machine {
  /** The numbers of a buffer, now. */
  arrayOf(buffer: Buffer): TypedArray;
  /** Does a step, and says true; or says false of one that is to be done by its parts. */
  does(step: Step): boolean;
}

/** Does steps in their order. */
export function drive(steps: readonly Step[], machine: Machine): void {
  for (const step of steps) {
    if (machine.does(step)) continue;
    switch (step.kind) {
      case "kernel":
      case "product":
        throw new Error(`a machine must do every ${step.kind}`);
      case "evaluation":
        evaluate(step, machine);
        break;
      case "copy":
        machine.arrayOf(step.to).set(machine.arrayOf(step.from));
        break;
      case "choice":
        drive(machine.arrayOf(step.condition)[0] === 0 ? step.whenFalse : step.whenTrue, machine);
        break;
      case "scan":
        scan(step, machine);
        break;
      case "passes":
        pass(step, machine);
        break;
    }
  }
}

function scan({ length, reverse, taken, body, given }: Scan, machine: Machine): void {
  for (let k = 0; k < length; k++) {
    const i = reverse ? length - 1 - k : k;
    for (const { stream, entry } of taken) {
      const start = i * entry.size;
      machine.arrayOf(entry).set(machine.arrayOf(stream).subarray(start, start + entry.size));
    }
    drive(body, machine);
    for (const { stream, entry } of given)
      machine.arrayOf(stream).set(machine.arrayOf(entry), i * entry.size);
  }
}

function pass({ test, holds, passes }: Passes, machine: Machine): void {
  // For each step, what each pass has saved there.
  const stack: TypedArray[][][] = [];
  passes.forEach(({ taken, before, body, after }, p) => {
    const go = (saved: TypedArray[][]): void => {
      for (const { pass, place, to } of taken)
        machine.arrayOf(to).set((saved[pass] as TypedArray[])[place] as TypedArray);
      const kept = before.map((buffer) => machine.arrayOf(buffer).slice());
      drive(body, machine);
      saved[p] = [...kept, ...after.map((buffer) => machine.arrayOf(buffer).slice())];
    };
    if (p === 0) {
      for (;;) {
        drive(test, machine);
        if (machine.arrayOf(holds)[0] === 0) break;
        const saved: TypedArray[][] = [];
        go(saved);
        if (passes.length > 1) stack.push(saved);
      }
    } else if (p % 2 === 0) stack.forEach(go);
    else for (let k = stack.length - 1; k >= 0; k--) go(stack[k] as TypedArray[][]);
  });
}

function evaluate({ op, attributes, inputs, output }: Evaluation, machine: Machine): void {
  const values = inputs.map(({ buffer, type }) => constant(type, readStorage(machine.arrayOf(buffer), type)));
  writeStorage(machine.arrayOf(output.buffer), op.evaluate(values, attributes as never, output.type));
}
