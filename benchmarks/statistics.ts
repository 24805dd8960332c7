/** What is made of samples and answers: medians, differences, digests. */

/** What a contender answered: the values of successive steps, and samples of the last step's gradients. */
export interface Answers {
  readonly values: readonly number[];
  readonly gradients: readonly (readonly number[])[];
}

/** The middle of the samples in order; of two middles the mean. */
export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/** The sum of samples by how many there are. */
export function mean(samples: readonly number[]): number {
  return samples.reduce((a, b) => a + b, 0) / samples.length;
}

const SAMPLES = 16;

/** A gradient's norm and evenly spaced elements, which stand for all of it in comparisons. */
export function digest(gradient: ArrayLike<number>): number[] {
  const n = gradient.length;
  let squares = 0;
  for (let i = 0; i < n; i++) squares += (gradient[i] as number) ** 2;
  const chosen = Math.min(n, SAMPLES);
  return [
    Math.sqrt(squares),
    ...Array.from({ length: chosen }, (_, i) => gradient[Math.floor((i * n) / chosen)] as number),
  ];
}

/**
 * The largest relative difference of answers from those of a reference: values each beside its own, a gradient's norm
 * beside the norm, its elements beside the largest. Infinity where one has other or not finite numbers.
 */
export function difference(answers: Answers, reference: Answers): number {
  const same =
    answers.values.length === reference.values.length &&
    answers.gradients.length === reference.gradients.length &&
    answers.gradients.every((g, i) => g.length === reference.gradients[i]?.length);
  if (!same) return Number.POSITIVE_INFINITY;
  const relative = (a: number, b: number, scale: number) => {
    if (!Number.isFinite(a)) return Number.POSITIVE_INFINITY;
    return a === b ? 0 : Math.abs(a - b) / scale;
  };
  const values = answers.values.map((a, i) => {
    const b = reference.values[i] as number;
    return relative(a, b, Math.abs(b));
  });
  const gradients = answers.gradients.flatMap((all, g) => {
    const [norm, ...elements] = reference.gradients[g] as readonly number[];
    const largest = Math.max(...elements.map(Math.abs));
    return all.map((a, i) =>
      i === 0 ? relative(a, norm as number, norm as number) : relative(a, elements[i - 1] as number, largest),
    );
  });
  return Math.max(0, ...values, ...gradients);
}
