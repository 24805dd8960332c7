/** Plan: a program as steps over buffers with lifetimes. */

import { divide } from "../kernels/divide.ts";
import type { Buffer } from "../kernels/language.ts";
import type { Program, Storage } from "../program.ts";
import { type BlockParts, type Constants, planBlock } from "./block.ts";
import { lifetimesOf, type Plan, replaceSteps } from "./steps.ts";

/** Plans a program for a number of threads: large kernels are divided into as many parts. */
export function planOf(program: Program, threads = 1): Plan {
  const { graph, arguments: first, results, updates } = program;
  const constants: Constants = new Map();
  const replaces = graph.outputs.map((_, i) => {
    const state = updates[i - results];
    return state === undefined ? null : first + state;
  });
  let buffers = 0;
  const buffer: BlockParts["buffer"] = (dtype, size) => ({ id: buffers++, dtype, size });
  const block = planBlock({
    graph,
    inputs: graph.inputs.map(() => null),
    // States stay where they are, whether anybody reads them or not.
    held: graph.inputs.map((_, i) => i >= first),
    replaces,
    constants,
    buffer,
  });
  const steps = replaceSteps(block.steps, (step) =>
    step.kind === "kernel"
      ? divide(step.kernel, threads, buffer).map((portion) => ({ kind: "kernel", ...portion }))
      : [step],
  );
  const held = block.inputs.filter((buffer): buffer is Buffer => buffer !== null);
  const fixed = [...constants].map(([buffer, data]): { buffer: Buffer; data: Storage } => ({ buffer, data }));
  return {
    steps,
    inputs: block.inputs,
    constants: fixed,
    outputs: block.outputs,
    lifetimes: lifetimesOf(steps, [...held, ...fixed.map(({ buffer }) => buffer)], block.outputs),
  };
}
