/** The gradient check before a run: the very model, on a few of its examples. */

import { type Value, value } from "@adjoint/core";
import { gradcheckParameters } from "@adjoint/gradcheck";
import { MLP } from "@adjoint/nn";
import type { Examples } from "./examples.ts";
import { counted, grouped } from "./output.ts";

/** How many examples, and how many entries of each parameter. */
const EXAMPLES = 4;
const ENTRIES = 24;

/** What a check came to. */
export interface Check {
  readonly passed: boolean;
  /** One line, or a report where something differs. */
  readonly text: string;
}

/** Compares gradients of a float64 copy of the model with numeric ones. */
export function checkGradients(
  model: MLP,
  examples: Examples,
  loss: (outputs: Value, targets: Value) => Value,
): Check {
  const copy = new MLP(model.sizes, { activation: model.activation, dtype: "float64", seed: 0 });
  copy.loadStateDict(model.stateDict());
  for (const [name, x] of copy.namedParameters()) x.label = name;
  const count = Math.min(EXAMPLES, examples.training.size);
  const { inputs, targets } = examples.training.slice(0, count).batch();
  const wide = value(Float64Array.from(inputs.data), { shape: inputs.shape });
  const parameters = copy.parameters();
  const report = gradcheckParameters(() => loss(copy.forward(wide), targets), parameters, {
    maxEntries: ENTRIES,
  });
  if (!report.passed) return { passed: false, text: String(report) };
  const size = parameters.reduce((sum, x) => sum + x.size, 0);
  const worst = report.worst === null ? "0" : report.worst.error.toExponential(1);
  const text =
    `right: ${report.checked} of ${grouped(size)} on ${counted(count, "example")}, ` +
    `at most ${worst} from numeric ones`;
  return { passed: true, text };
}
