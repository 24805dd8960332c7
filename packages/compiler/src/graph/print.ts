/** Steps as text, for people and for tests. */

import { printKernel } from "../kernels/print.ts";
import type { Step } from "./steps.ts";

/** Steps in their order, those within others indented, each after a note of its own line if there is one. */
export function printSteps(steps: readonly Step[], notes: readonly string[] = []): string {
  return steps.map((step, i) => `${notes[i] ?? ""}${printStep(step)}`).join("\n");
}

function printStep(step: Step): string {
  switch (step.kind) {
    case "kernel":
      return printKernel(step.kernel);
    case "product": {
      const { dtype, n, m, k, a, b, c, counters } = step;
      const times = counters.length === 0 ? "" : `, ${counters.map(({ extent }) => extent).join("×")} times`;
      return `product b${c.buffer.id} = b${a.buffer.id}·b${b.buffer.id} : ${dtype} [${n}×${k}]·[${k}×${m}]${times}`;
    }
    case "evaluation":
      return `evaluation b${step.output.buffer.id} = ${step.op.name}(${step.inputs.map(({ buffer }) => `b${buffer.id}`).join(", ")})`;
    case "copy":
      return `copy b${step.to.id} = b${step.from.id}`;
    case "choice":
      return [
        `if b${step.condition.id} {`,
        indented(step.whenTrue),
        "} else {",
        indented(step.whenFalse),
        "}",
      ].join("\n");
    case "scan": {
      const { length, reverse, taken, body, given } = step;
      return [
        `for each of ${length} steps${reverse ? ", last first" : ""} {`,
        ...taken.map(({ stream, entry }) => `  take b${entry.id} of b${stream.id}`),
        indented(body),
        ...given.map(({ stream, entry }) => `  give b${entry.id} to b${stream.id}`),
        "}",
      ].join("\n");
    }
    case "passes":
      return [
        `while b${step.holds.id} {`,
        indented(step.test),
        "}",
        ...step.passes.flatMap(({ taken, before, body, after }, p) => [
          `pass ${p}, ${p % 2 === 0 ? "up" : "down"} {`,
          ...taken.map(({ pass, place, to }) => `  take b${to.id} of pass ${pass}, place ${place}`),
          ...before.map((buffer) => `  save b${buffer.id}`),
          indented(body),
          ...after.map((buffer) => `  save b${buffer.id}`),
          "}",
        ]),
      ].join("\n");
  }
}

function indented(steps: readonly Step[]): string {
  return printSteps(steps).replaceAll(/^(?=.)/gm, "  ");
}
