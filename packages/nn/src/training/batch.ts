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

/** What is done with one batch: forward, and in training backward and step as well. */
type Work = (inputs: Value, targets: Value) => { readonly outputs: Value; readonly loss: Value };

/**
 * Work and metrics as a function of a batch.
 *
 * What looks at data cannot be compiled: a metric that does, or gives plain numbers, is computed outside, and work that
 * does is run as it is written, unless compiling was asked for.
 */
export function batchFunction(
  work: Work,
  metrics: Readonly<Record<string, Metric>>,
  chosen: Compile | undefined,
): (batch: Examples) => BatchScores {
  const measured = ({ loss, outputs }: ReturnType<Work>, targets: Value): BatchScores => ({
    loss: loss.item(),
    metrics: numbers(measure(metrics, outputs, targets)),
  });
  const written = ({ inputs, targets }: Examples) => measured(work(inputs, targets), targets);
  if (chosen === false) return written;

  const options = typeof chosen === "object" ? chosen : {};
  const all = compile((inputs: Value, targets: Value) => {
    const { loss, outputs } = work(inputs, targets);
    return { loss, metrics: values(measure(metrics, outputs, targets)) };
  }, options);
  const core = compile(work, options);
  const ways = [
    ({ inputs, targets }: Examples) => {
      const { loss, metrics } = all(inputs, targets);
      return { loss: loss.item(), metrics: numbers(metrics) };
    },
    ({ inputs, targets }: Examples) => measured(core(inputs, targets), targets),
    ...(chosen === undefined ? [written] : []),
  ];
  let way = 0;
  return (batch) => {
    for (;;) {
      try {
        return (ways[way] as typeof written)(batch);
      } catch (error) {
        // A function that could not be compiled has changed nothing.
        if (way === ways.length - 1) throw error;
        way++;
      }
    }
  };
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
