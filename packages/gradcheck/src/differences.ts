/**
 * Numeric derivatives: central differences, extrapolated to a step of zero, with an estimate of their error.
 *
 * Sources: Ridders, Accurate computation of F′(x) and F′(x)F″(x), Advances in Engineering Software 4 (1982), for the
 * tableau and its error estimate; Press et al., Numerical Recipes (3rd ed., 2007), §5.7, for the choice of steps and
 * for differences of representable numbers.
 */

/** A function's values at a point, and the sizes of the terms that each was summed from: its rounding is theirs. */
export interface Sample {
  readonly values: Float64Array;
  readonly sizes: Float64Array;
}

/** A function along a line. `t` is the step really taken, after rounding to the dtype of what was moved. */
export type Probe = (t: number) => { readonly sample: Sample; readonly t: number };

/** Derivatives at t = 0 of each value of a probe. */
export interface Differences {
  readonly derivatives: Float64Array;
  /** What each derivative may be off by: how far the extrapolations differ, and the rounding of the values. */
  readonly errors: Float64Array;
  /** The part of `errors` that the rounding of the function's values alone explains. */
  readonly rounding: Float64Array;
}

/** How to take differences. */
export interface DifferenceOptions {
  /** The size of what is moved: steps are fractions of max(|x|, 1). By default 1. */
  readonly x?: number;
  /** The relative spacing of the numbers that the values are rounded to. By default float64's, 2⁻⁵². */
  readonly epsilon?: number;
  /** How many of the larger first steps to leave out. By default 0. */
  readonly skip?: number;
}

/** The relative spacing of float64 and of float32 numbers. */
export const EPSILON = { float64: 2 ** -52, float32: 2 ** -23 } as const;

/** Exponents of the first steps of the tableaus that are tried in turn, and how often each halves its step. */
const TABLEAUS = {
  fine: { exponents: [-6, -14, -22, -30, -38], levels: 8 },
  coarse: { exponents: [-3, -7, -11, -15], levels: 5 },
} as const;

/**
 * The derivatives of a probe at 0.
 *
 * The first tableau whose error estimate is near what the number type allows ends the search; otherwise every value
 * keeps the derivative with the smallest relative estimate, so that kinks and scales near the point are found by the
 * steps that are small enough for them.
 */
export function differences(
  probe: Probe,
  { x = 0, epsilon = EPSILON.float64, skip = 0 }: DifferenceOptions = {},
): Differences {
  const { exponents, levels } = epsilon > 1e-12 ? TABLEAUS.coarse : TABLEAUS.fine;
  // Powers of two, so that most steps are exact.
  const scale = 2 ** Math.floor(Math.log2(Math.max(Math.abs(x), 1)));
  const steps = exponents.map((exponent) => scale * 2 ** exponent);
  if (x !== 0 && Math.abs(x) < 2 ** -20) steps.push(2 ** Math.floor(Math.log2(Math.abs(x)) - 6));
  const best: Best = { score: [], derivatives: [], errors: [], rounding: [], tableau: [] };
  for (const step of steps.slice(skip)) {
    if (tableau(probe, { step, levels, scale, epsilon }, best)) break;
  }
  return {
    derivatives: Float64Array.from(best.derivatives),
    errors: Float64Array.from(best.errors),
    rounding: Float64Array.from(best.rounding),
  };
}

interface Best {
  score: number[];
  derivatives: number[];
  errors: number[];
  rounding: number[];
  /** The first step of the tableau that each was found in. */
  tableau: number[];
}

interface Tableau {
  readonly step: number;
  readonly levels: number;
  readonly scale: number;
  readonly epsilon: number;
}

/** Fills one tableau, keeps what is better than before, and says whether all derivatives are as good as can be. */
function tableau(probe: Probe, { step, levels, scale, epsilon }: Tableau, best: Best): boolean {
  let previous: number[][] = [];
  for (let level = 0; level < levels; level++) {
    const high = probe(step / 2 ** level);
    const low = probe(-step / 2 ** level);
    const width = high.t - low.t;
    if (width === 0) return false;
    let done = level > 1;
    const current = Array.from(high.sample.values, (up, k) => {
      const row = [(up - (low.sample.values[k] as number)) / width];
      const size = Math.max(high.sample.sizes[k] as number, low.sample.sizes[k] as number);
      // Two values, each the result of a few operations.
      const rounding = (4 * epsilon * size) / width;
      const above = previous[k];
      if (above === undefined) {
        if (best.score[k] === undefined) keep(best, k, Infinity, row[0] as number, Infinity, rounding, step);
        return row;
      }
      const known = best.derivatives[k] as number;
      const trusted = best.tableau[k] === step ? (best.errors[k] as number) : Infinity;
      for (let order = 1; order <= level; order++) {
        const coarse = above[order - 1] as number;
        const fine = row[order - 1] as number;
        const power = 4 ** order;
        const y = (power * fine - coarse) / (power - 1);
        row.push(y);
        const error = Math.max(Math.abs(y - fine), Math.abs(y - coarse)) + rounding;
        const score = error / (Math.abs(y) + (Math.sqrt(epsilon) * size) / scale);
        if (score < (best.score[k] as number) || (error === 0 && best.errors[k] !== 0))
          keep(best, k, score, y, error, rounding, step);
      }
      // Two extrapolations that agree by chance are found out by the next one.
      const deviation = Math.abs((row[level] as number) - known);
      if (best.derivatives[k] === known && deviation > 100 * (trusted + rounding)) {
        const floor = (Math.sqrt(epsilon) * size) / scale;
        keep(best, k, deviation / (Math.abs(known) + floor), known, deviation, rounding, step);
      }
      const goal = epsilon ** (2 / 3) * (Math.abs(best.derivatives[k] as number) + size / scale);
      if (!((best.errors[k] as number) <= goal)) done = false;
      return row;
    });
    if (done) return true;
    previous = current;
  }
  return false;
}

function keep(
  best: Best,
  k: number,
  score: number,
  y: number,
  error: number,
  rounding: number,
  step: number,
): void {
  best.score[k] = score;
  best.derivatives[k] = y;
  best.errors[k] = error;
  best.rounding[k] = rounding;
  best.tableau[k] = step;
}
