/** Plan: a program as steps over buffers with lifetimes. */

import type { Buffer } from "../kernels/language.ts";
import type { Program, Storage } from "../program.ts";
import { type Constants, planBlock } from "./block.ts";
import { lifetimesOf, type Plan } from "./steps.ts";

/** Plans a program. */
export function planOf(program: Program): Plan {
  const { graph, arguments: first, results, updates } = program;
  const constants: Constants = new Map();
  const replaces = graph.outputs.map((_, i) => {
    const state = updates[i - results];
    return state === undefined ? null : first + state;
  });
  let buffers = 0;
  const block = planBlock({
    graph,
    inputs: graph.inputs.map(() => null),
    // States stay where they are, whether anybody reads them or not.
    held: graph.inputs.map((_, i) => i >= first),
    replaces,
    constants,
    buffer: (dtype, size) => ({ id: buffers++, dtype, size }),
  });
  const held = block.inputs.filter((buffer): buffer is Buffer => buffer !== null);
  const fixed = [...constants].map(([buffer, data]): { buffer: Buffer; data: Storage } => ({ buffer, data }));
  return {
    steps: block.steps,
    inputs: block.inputs,
    constants: fixed,
    outputs: block.outputs,
    lifetimes: lifetimesOf(block.steps, [...held, ...fixed.map(({ buffer }) => buffer)], block.outputs),
  };
}
