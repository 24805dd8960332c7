/** How a batch is computed: compiled, or as it is written where it cannot be. */

import { type CompileOptions, compile } from "@adjoint/compiler";
import { ArgumentError, isValue, noGrad, type Value } from "@adjoint/core";
import type { Examples, Metric } from "./parts.ts";

/**
 * Whether to compile: `false` runs everything as it is written, `true` makes it an error where something cannot be
 * compiled, options say for what target.
 */
export type Compile = boolean | CompileOptions;

/** What one batch came to. */
export interface BatchScores {
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** What of a run's work is compiled. */
export interface CompiledParts {
  /** Forward, and in training backward and the update as well. */
  readonly step: boolean;
  readonly metrics: boolean;
  /** Why not all is, where compiling was left to the run: what the first attempt gave. */
  readonly refused: Error | null;
}

/** A function of batches, and what of it is compiled. */
export interface BatchFunction {
  run(batch: Examples): BatchScores;
  readonly compiled: CompiledParts;
}

/** What is done with one batch: forward, and in training backward and step as well. */
type Work = (inputs: Value, targets: Value) => { readonly outputs: Value; readonly loss: Value };

/**
 * Work and metrics as a function of a batch.
 *
 * What looks at data cannot be compiled: a metric that does, or gives plain numbers, is computed outside, and work that
 * does is run as it is written, unless compiling was asked for. Only capturing is tried: what runs has its effects once.
 */
export function batchFunction(
  work: Work,
  metrics: Readonly<Record<string, Metric>>,
  chosen: Compile | undefined,
): BatchFunction {
  const measured = ({ loss, outputs }: ReturnType<Work>, targets: Value): BatchScores => ({
    loss: loss.item(),
    metrics: numbers(measure(metrics, outputs, targets)),
  });
  const options = typeof chosen === "object" ? chosen : {};
  const all = compile((inputs: Value, targets: Value) => {
    const { loss, outputs } = work(inputs, targets);
    return { loss, metrics: values(measure(metrics, outputs, targets)) };
  }, options);
  const step = compile(work, options);
  const ways: Way[] = [
    {
      step: true,
      metrics: true,
      prepare: all.prepare,
      run: (inputs, targets) => {
        const { loss, metrics } = all(inputs, targets);
        return { loss: loss.item(), metrics: numbers(metrics) };
      },
    },
    {
      step: true,
      metrics: false,
      prepare: step.prepare,
      run: (inputs, targets) => measured(step(inputs, targets), targets),
    },
    {
      step: false,
      metrics: false,
      prepare: () => undefined,
      run: (inputs, targets) => measured(work(inputs, targets), targets),
    },
  ];
  // Who asks for compiled work gets an error where it cannot be had.
  const open = chosen === undefined ? ways : chosen === false ? ways.slice(2) : ways.slice(0, 2);
  let at = 0;
  let refused: Error | null = null;
  return {
    run({ inputs, targets }) {
      for (;;) {
        const way = open[at] as Way;
        try {
          way.prepare(inputs, targets);
        } catch (error) {
          if (at === open.length - 1) throw error;
          refused ??= error as Error;
          at++;
          continue;
        }
        return way.run(inputs, targets);
      }
    },
    get compiled() {
      const { step, metrics } = open[at] as Way;
      return { step, metrics, refused };
    },
  };
}

/** A way to compute batches. */
interface Way extends Pick<CompiledParts, "step" | "metrics"> {
  /** Throws where this is no way. */
  prepare(inputs: Value, targets: Value): void;
  run(inputs: Value, targets: Value): BatchScores;
}

/** The metrics of one batch. */
function measure(
  metrics: Readonly<Record<string, Metric>>,
  outputs: Value,
  targets: Value,
): Record<string, Value | number> {
  return noGrad(() =>
    Object.fromEntries(Object.entries(metrics).map(([name, metric]) => [name, metric(outputs, targets)])),
  );
}

/** Refuses numbers: what they were made of would not be looked at again. */
function values(measured: Readonly<Record<string, Value | number>>): Readonly<Record<string, Value>> {
  for (const [name, x] of Object.entries(measured)) {
    if (isValue(x)) continue;
    throw new ArgumentError({
      where: "fit",
      expected: `metric ${JSON.stringify(name)} must be a value`,
      received: "a number",
    });
  }
  return measured as Readonly<Record<string, Value>>;
}

function numbers(measured: Readonly<Record<string, Value | number>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(measured).map(([name, x]) => [name, typeof x === "number" ? x : x.item()]),
  );
}
