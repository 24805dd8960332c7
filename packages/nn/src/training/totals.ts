/** Running totals of loss and metrics, weighted by examples, so that batches of unequal size give the true mean. */

import type { Scores } from "./parts.ts";

/** What has been added up so far: plain numbers, so that an epoch can be interrupted and go on. */
export interface Totals {
  readonly examples: number;
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** Nothing added up yet. */
export const NO_TOTALS: Totals = { examples: 0, loss: 0, metrics: {} };

/** The totals with one more batch. */
export function addBatch(
  totals: Totals,
  examples: number,
  loss: number,
  metrics: Readonly<Record<string, number>>,
): Totals {
  const sums = Object.entries(metrics).map(
    ([name, x]) => [name, (totals.metrics[name] ?? 0) + x * examples] as const,
  );
  return {
    examples: totals.examples + examples,
    loss: totals.loss + loss * examples,
    metrics: Object.fromEntries(sums),
  };
}

/** The means. */
export function meansOf({ examples, loss, metrics }: Totals): Scores {
  const means = Object.entries(metrics).map(([name, sum]) => [name, sum / examples] as const);
  return { loss: loss / examples, metrics: Object.fromEntries(means) };
}
