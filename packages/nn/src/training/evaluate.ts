/** evaluate: loss and metrics of a model on data. */

import { noGrad } from "@adjoint/core";
import { checkOptions, type OptionNames } from "@adjoint/core/operations";
import { batchFunction, type Compile } from "./batch.ts";
import type { Loss, Metric, Scores, Trainable, TrainingData } from "./parts.ts";
import { pauser } from "./pause.ts";
import { addBatch, meansOf, NO_TOTALS } from "./totals.ts";

/** Options of `evaluate`. */
export interface EvaluateOptions {
  readonly loss: Loss;
  /** Figures to report, by name. */
  readonly metrics?: Readonly<Record<string, Metric>>;
  /** Examples at a time; by default 256. The figures are means over all examples, whatever it is. */
  readonly batchSize?: number;
  /** Whether to compile, as in `fit`; by default not, so that `loss` may look at outputs. */
  readonly compile?: Compile;
}

const EVALUATE: OptionNames<EvaluateOptions> = { loss: true, metrics: true, batchSize: true, compile: true };

/**
 * Loss and metrics of a model on data, which it is not trained on: nothing is recorded. The model is switched to
 * inference and stays so.
 *
 * @example
 * const model = new Linear(1, 1, { generator: new random.Generator(0) });
 * model.loadStateDict({ weight: value([[2]], { dtype: "float32" }), bias: value([0], { dtype: "float32" }) });
 * const data = { size: 2, batches: () => [{ inputs: value([[1], [2]]), targets: value([[2], [5]]) }] };
 * (await evaluate(model, data, { loss: meanSquaredError })).loss // 0.5
 */
export async function evaluate(
  model: Trainable,
  data: TrainingData,
  options: EvaluateOptions,
): Promise<Scores> {
  return evaluator(model, { compile: false, ...checkOptions("evaluate", options, EVALUATE) })(data);
}

/** evaluate as a function of the data, which is compiled once however often it is called. */
export function evaluator(
  model: Trainable,
  { loss, metrics = {}, batchSize = 256, compile }: EvaluateOptions,
): (data: TrainingData) => Promise<Scores> {
  const scores = batchFunction(
    (inputs, targets) => {
      const outputs = model.forward(inputs);
      return { outputs, loss: loss(outputs, targets) };
    },
    metrics,
    compile,
  );
  return async (data) => {
    const pause = pauser();
    let totals = NO_TOTALS;
    model.eval();
    for (const batch of data.batches({ batchSize })) {
      const { loss, metrics } = noGrad(() => scores.run(batch));
      totals = addBatch(totals, batch.inputs.shape[0] ?? 1, loss, metrics);
      const pausing = pause();
      if (pausing !== null) await pausing;
    }
    return meansOf(totals);
  };
}
