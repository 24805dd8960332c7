/** Segments: which steps of a plan are done in C, and which in JavaScript between them. */

import type { Kernel, Statement, Step } from "@adjoint/compiler/targets";
import { isKnown } from "./functions.ts";

/** Steps that follow each other and are done by one call of C. */
interface Segment {
  readonly index: number;
  readonly steps: readonly Step[];
}

/** How a plan is divided. */
export interface Segments {
  readonly all: readonly Segment[];
  /** The segment that begins with a step; null for steps within one that have begun before. */
  readonly at: ReadonlyMap<Step, Segment | null>;
}

/** The longest runs of steps in which nothing is left to JavaScript, those within branches and loops too. */
export function segmentsOf(steps: readonly Step[]): Segments {
  const all: Segment[] = [];
  const at = new Map<Step, Segment | null>();
  const divide = (list: readonly Step[]): void => {
    let run: Step[] = [];
    const close = () => {
      if (run.length === 0) return;
      const segment: Segment = { index: all.length, steps: run };
      all.push(segment);
      for (const [i, step] of run.entries()) at.set(step, i === 0 ? segment : null);
      run = [];
    };
    for (const step of list) {
      if (isNative(step)) run.push(step);
      else {
        close();
        for (const part of partsOf(step)) divide(part);
      }
    }
    close();
  };
  divide(steps);
  return { all, at };
}

function partsOf(step: Step): readonly (readonly Step[])[] {
  if (step.kind === "choice") return [step.whenTrue, step.whenFalse];
  if (step.kind === "scan") return [step.body];
  if (step.kind === "passes") return [step.test, ...step.passes.map(({ body }) => body)];
  return [];
}

/** Whether all of a step can be done in C. */
function isNative(step: Step): boolean {
  if (step.kind === "evaluation") return false;
  if (step.kind === "kernel") return unknownIn(step.kernel).length === 0;
  return partsOf(step).every((part) => part.every(isNative));
}

/** The functions of a kernel that C does not have. */
export function unknownIn({ body }: Kernel): string[] {
  const search = (statements: readonly Statement[]): string[] =>
    statements.flatMap((s) => {
      if (s.kind === "loop") return search(s.body);
      return s.kind === "call" && !isKnown(s.called) ? [s.called.name] : [];
    });
  return search(body);
}
