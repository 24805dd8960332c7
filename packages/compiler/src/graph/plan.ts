/** Plan: a program as steps over buffers with lifetimes. */

import { divide } from "../kernels/divide.ts";
import type { Buffer } from "../kernels/language.ts";
import { mergeRows } from "../kernels/rows.ts";
import type { Program, Storage } from "../program.ts";
import { type BlockParts, type Constants, planBlock } from "./block.ts";
import { lifetimesOf, type Plan, replaceLists, type Step } from "./steps.ts";

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
  const steps = replaceLists(block.steps, (list) =>
    mergedRows(list).flatMap((step): readonly Step[] =>
      step.kind === "kernel"
        ? divide(step.kernel, threads, buffer).map((portion) => ({ kind: "kernel", ...portion }))
        : [step],
    ),
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

/** Steps, with kernels that follow each other joined where a row can go through both. */
function mergedRows(steps: readonly Step[]): Step[] {
  const merged: Step[] = [];
  for (const step of steps) {
    const last = merged.at(-1);
    const kernel =
      step.kind === "kernel" && last?.kind === "kernel" ? mergeRows(last.kernel, step.kernel) : null;
    if (kernel === null) merged.push(step);
    else merged[merged.length - 1] = { kind: "kernel", kernel, parts: 1 };
  }
  return merged;
}
