/** Why an analytic and a numeric derivative may differ: the likely cause, told from how they differ. */

import { EPSILON, type Probe, type Sample } from "./differences.ts";

/**
 * The likely cause of a difference.
 *
 * - "kink nearby": the derivatives from the left and from the right differ.
 * - "discontinuity nearby": the function jumps.
 * - "non-deterministic function": two evaluations at one point differ.
 * - "non-finite": a value or a derivative is NaN or infinite.
 * - "missing": the analytic derivative is zero everywhere.
 * - "sign", "factor k": the analytic derivative is −1 or k times the numeric one everywhere.
 * - "float32": float32 is involved and no other pattern shows: rounding and near kinks may be all there is to it.
 * - "no convergence": the differences do not settle as their steps shrink: noise, or a scale too small for them.
 * - "wrong": none of these; the derivative is.
 */
export type Cause =
  | "kink nearby"
  | "discontinuity nearby"
  | "non-deterministic function"
  | "non-finite"
  | "missing"
  | "sign"
  | `factor ${number}`
  | "float32"
  | "no convergence"
  | "wrong";

/** An analytic and a numeric derivative that should be equal. */
export interface Pair {
  readonly analytic: number;
  readonly numeric: number;
  readonly tolerance: number;
  readonly failed: boolean;
}

/** A pair that differs, and the line along which it was found. */
export interface Suspect extends Pair {
  readonly input: string;
  readonly index: readonly number[];
  readonly group: string;
  readonly output: number;
  readonly error: number;
  readonly estimate: number;
  readonly rounding: number;
  readonly undecided: boolean;
  readonly line: { readonly probe: Probe; readonly x: number };
}

/** What is known of the function. */
export interface Circumstances {
  readonly start: Sample;
  readonly deterministic: boolean;
  readonly float32: boolean;
}

/** A cause, and a sentence on it. */
export interface Diagnosis {
  readonly cause: Cause;
  readonly explanation: string;
}

/** The likely cause of a suspect; `pairs` are all of its group. */
export function recognize(suspect: Suspect, pairs: readonly Pair[], circumstances: Circumstances): Diagnosis {
  const { deterministic, float32 } = circumstances;
  if (!deterministic) {
    return {
      cause: "non-deterministic function",
      explanation: "two evaluations at the same point differ; fix the seeds, and switch dropout off",
    };
  }
  return (
    nonFinite(suspect, circumstances) ??
    (suspect.error > 0.1 * Math.max(Math.abs(suspect.numeric), Math.abs(suspect.analytic))
      ? oneSided(suspect, circumstances)
      : null) ??
    pattern(suspect, pairs) ??
    (float32 && suspect.error <= 0.6 * Math.max(Math.abs(suspect.analytic), Math.abs(suspect.numeric))
      ? {
          cause: "float32",
          explanation:
            "float32 cannot tell rounding and near kinks from a wrong rule; check again in float64",
        }
      : null) ??
    (suspect.estimate > 0.1 * suspect.error
      ? {
          cause: "no convergence",
          explanation: "the differences do not settle as steps shrink: noise, or a scale too small for them",
        }
      : null) ?? { cause: "wrong", explanation: "the function is smooth here; look at the derivative rule" }
  );
}

function nonFinite(suspect: Suspect, { start }: Circumstances): Diagnosis | null {
  const { analytic, numeric, output, line } = suspect;
  const y = start.values[output] as number;
  if (!Number.isFinite(y)) return { cause: "non-finite", explanation: `the function is ${y} at this point` };
  if (!Number.isFinite(analytic)) {
    return { cause: "non-finite", explanation: `the analytic derivative is ${analytic}` };
  }
  if (Number.isFinite(numeric)) return null;
  const small = 2 ** -20 * Math.max(Math.abs(line.x), 1);
  const side = Number.isFinite(line.probe(-small).sample.values[output]) ? "above" : "below";
  return { cause: "non-finite", explanation: `the function is not finite just ${side} this point` };
}

/** Compares the slopes to the left and to the right at shrinking steps: they meet where the function is smooth. */
function oneSided(suspect: Suspect, { start, float32 }: Circumstances): Diagnosis | null {
  const { line, output, error } = suspect;
  const y = start.values[output] as number;
  const size = Math.max(Math.abs(y), start.sizes[output] as number);
  const epsilon = float32 ? EPSILON.float32 : EPSILON.float64;
  const first = Math.max(Math.abs(line.x), 1) * (float32 ? 2 ** -5 : 2 ** -14);
  const look = (h: number): OneSided => {
    const high = line.probe(h);
    const low = line.probe(-h);
    const right = (high.sample.values[output] as number) - y;
    const left = y - (low.sample.values[output] as number);
    return {
      jumps: [right, left],
      slopes: [right / high.t, -left / low.t],
      rounding: 4 * epsilon * size,
      h,
    };
  };
  const wide = look(first);
  const narrow = look(first / 8);
  const jumps = [0, 1].some((side) => {
    const step = narrow.jumps[side] as number;
    // A jump is as high from nearby as from afar; a slope's rise would have shrunk to an eighth.
    return (
      Math.abs(step) > 10 * narrow.rounding &&
      Math.abs(step - (wide.jumps[side] as number)) < 0.25 * Math.abs(step)
    );
  });
  if (jumps) return { cause: "discontinuity nearby", explanation: "the function jumps at this point" };
  const gap = (at: OneSided) => Math.abs((at.slopes[0] as number) - (at.slopes[1] as number));
  if (!(gap(narrow) > (10 * narrow.rounding) / narrow.h)) return null;
  if (gap(narrow) < 0.1 * error || gap(narrow) < 0.5 * gap(wide) || gap(narrow) > 2 * gap(wide)) return null;
  const [right, left] = narrow.slopes as [number, number];
  return {
    cause: "kink nearby",
    explanation: `the slope is ${short(left)} on the left and ${short(right)} on the right`,
  };
}

/** What one step to the right and one to the left show: the rises, the slopes, and the rounding of a rise. */
interface OneSided {
  readonly jumps: readonly number[];
  readonly slopes: readonly number[];
  readonly rounding: number;
  readonly h: number;
}

/** Looks for one factor between analytic and numeric derivatives of a whole group. */
function pattern({ group }: Suspect, pairs: readonly Pair[]): Diagnosis | null {
  const usable = pairs.filter((p) => Number.isFinite(p.analytic) && Number.isFinite(p.numeric));
  const telling = usable.filter((p) => Math.abs(p.numeric) > 10 * p.tolerance);
  if (telling.length === 0) return null;
  const what = group === "directions" ? "along every random direction" : `for every entry of ${group}`;
  if (usable.every((p) => p.analytic === 0)) {
    return { cause: "missing", explanation: `the analytic derivative is 0 ${what}: no gradient arrives` };
  }
  let cross = 0;
  let square = 0;
  for (const { analytic, numeric } of telling) {
    cross += analytic * numeric;
    square += numeric * numeric;
  }
  const factor = cross / square;
  const same = usable.every(
    (p) => Math.abs(p.analytic - factor * p.numeric) <= 1e-3 * Math.abs(p.analytic) + p.tolerance,
  );
  if (!same || Math.abs(factor - 1) < 1e-3) return null;
  const round = telling.length > 1 ? Number(factor.toPrecision(3)) : simplest(factor);
  if (round === null) return null;
  if (round === -1) return { cause: "sign", explanation: `analytic = −numeric ${what}` };
  return { cause: `factor ${round}`, explanation: `analytic = ${round} × numeric ${what}` };
}

/** A single pair shows a factor only where it is a simple one: a small whole number or one over such. */
function simplest(factor: number): number | null {
  for (const candidate of [factor, 1 / factor]) {
    const whole = Math.round(candidate);
    if (whole === 0 || Math.abs(whole) > 16 || Math.abs(candidate - whole) > 1e-4) continue;
    return candidate === factor ? whole : Number((1 / whole).toPrecision(3));
  }
  return null;
}

/** A number in a sentence. */
function short(x: number): string {
  if (!Number.isFinite(x)) return String(x);
  return String(Number(x.toPrecision(4)));
}
