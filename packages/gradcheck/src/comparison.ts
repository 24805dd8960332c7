/** Compares analytic with numeric derivatives, entry by entry or along random directions. */

import { ArgumentError, random, type TypedArray } from "@adjoint/core";
import { checkOptions, type OptionNames } from "@adjoint/core/operations";
import { type Pair, recognize, type Suspect } from "./cause.ts";
import { differences, EPSILON, type Probe, type Sample } from "./differences.ts";
import { unravel } from "./leaves.ts";
import type { Discrepancy } from "./report.ts";

/** How strict a comparison is, and how much of it is done. */
export interface ComparisonOptions {
  /** Absolute tolerance. By default 1e-9, and 1e-5 where float32 is involved. */
  readonly atol?: number;
  /** Relative tolerance. By default 1e-6, and 5e-3 where float32 is involved. */
  readonly rtol?: number;
  /** How many times the numeric derivative's own error estimate is forgiven. By default 5. */
  readonly safety?: number;
  /** Seed of all random choices. By default 0. */
  readonly seed?: number;
  /** How many failures the report keeps, worst first. By default 10. */
  readonly maxFailures?: number;
}

/** Their names. */
export const COMPARISON: OptionNames<ComparisonOptions> = {
  atol: true,
  rtol: true,
  safety: true,
  seed: true,
  maxFailures: true,
};

/** An input to be moved. */
interface Input {
  readonly path: string;
  readonly shape: readonly number[];
  readonly data: TypedArray;
}

/** What is compared: a function of the inputs' data, and its analytic derivatives. */
export interface Problem {
  readonly order: 1 | 2;
  readonly inputs: readonly Input[];
  /** The function at other data of the inputs; what is not moved is the same array. */
  evaluate(points: readonly TypedArray[]): Sample;
  /** For each output, its derivatives by the entries of each input. */
  readonly analytic: readonly (readonly TypedArray[])[];
  /** What each output is called; null where there is one only. */
  readonly outputs: readonly string[] | null;
  /** Whether an input, an output or a value between them is float32. */
  readonly float32: boolean;
}

/** An entry of an input. */
export interface Place {
  readonly input: number;
  readonly flat: number;
}

/** What a comparison found. */
export interface Comparison {
  readonly checked: number;
  readonly undecided: number;
  readonly failureCount: number;
  readonly failures: readonly Discrepancy[];
  readonly worst: Discrepancy | null;
  readonly deterministic: boolean;
  readonly float32: boolean;
}

/** One comparison of two numbers. */
interface Outcome {
  readonly output: number;
  readonly analytic: number;
  readonly numeric: number;
  readonly estimate: number;
  readonly rounding: number;
  readonly error: number;
  readonly tolerance: number;
  readonly failed: boolean;
  readonly undecided: boolean;
}

/** Tolerances with their defaults, for what is checked. */
export function tolerances(options: ComparisonOptions, float32: boolean) {
  const { atol = float32 ? 1e-5 : 1e-9, rtol = float32 ? 5e-3 : 1e-6, safety = 5 } = options;
  return { atol, rtol, safety };
}

/** Checks the options that all comparisons share. */
export function checkComparison<O extends ComparisonOptions>(
  where: string,
  options: O,
  names: OptionNames<NoInfer<O>>,
): void {
  checkOptions(where, options, names);
  const limits = { atol: 0, rtol: 0, safety: 0, maxFailures: 0, maxEntries: 0, maxOutputs: 0, directions: 1 };
  for (const [name, least] of Object.entries(limits)) {
    const given = (options as Record<string, unknown>)[name];
    if (given === undefined || (typeof given === "number" && given >= least)) continue;
    throw new ArgumentError({ where, expected: `${name} must be ≥ ${least}`, received: String(given) });
  }
}

/** Compares the derivatives by the entries given. */
export function compareEntries(
  problem: Problem,
  places: readonly Place[],
  options: ComparisonOptions,
): Comparison {
  const session = new Session(problem, options);
  for (const place of places) {
    session.compare(session.entryLine(place));
  }
  return session.finish();
}

/**
 * Compares the derivatives along random directions over all entries. Where one fails, halves of it are compared until
 * the entry is found.
 */
export function compareDirections(
  problem: Problem,
  directions: number,
  options: ComparisonOptions,
): Comparison {
  const session = new Session(problem, options);
  const key = random.key(options.seed ?? 0);
  for (let d = 0; d < directions; d++) {
    const direction = session.drawDirection(random.fold(key, d));
    const whole = { from: 0, size: session.size };
    const failed = session.compare(session.directionLine(direction, whole, `random direction ${d}`));
    if (failed === null) continue;
    const entry = session.bisect(direction, failed.output);
    if (entry !== null) session.replaceLast(entry);
  }
  return session.finish();
}

/** A run of entries, counted through all inputs. */
interface Run {
  readonly from: number;
  readonly size: number;
}

/** What to compare: the derivatives at one entry, or along a direction. */
interface Line {
  readonly input: string;
  readonly index: readonly number[];
  /** What the cause is looked for in: pairs of one group should show one pattern. */
  readonly group: string;
  readonly probe: Probe;
  readonly x: number;
  analytic(output: number): number;
}

class Session {
  readonly #problem: Problem;
  readonly #options: ComparisonOptions;
  readonly base: readonly TypedArray[];
  readonly size: number;
  readonly #largest: readonly number[];
  readonly #start: Sample;
  readonly #deterministic: boolean;
  readonly #pairs = new Map<string, Pair[]>();
  #suspects: Suspect[] = [];
  #worst: Suspect | null = null;
  #checked = 0;
  #undecided = 0;

  constructor(problem: Problem, options: ComparisonOptions) {
    this.#problem = problem;
    this.#options = options;
    this.base = problem.inputs.map(({ data }) => data);
    this.size = this.base.reduce((n, { length }) => n + length, 0);
    this.#largest = problem.analytic.map((gradients) => {
      let largest = 0;
      for (const data of gradients) for (const a of data) largest = Math.max(largest, finite(Math.abs(a)));
      return largest;
    });
    this.#start = problem.evaluate(this.base);
    const again = problem.evaluate(this.base);
    this.#deterministic = this.#start.values.every((y, k) => Object.is(y, again.values[k]));
  }

  /** The line along which one entry moves. */
  entryLine({ input, flat }: Place): Line {
    const { path, shape, data } = this.#problem.inputs[input] as Input;
    const x = data[flat] as number;
    return {
      input: path,
      index: unravel(flat, shape),
      group: path,
      x,
      probe: (t) => {
        const moved = data.slice();
        moved[flat] = x + t;
        const sample = this.#problem.evaluate(this.base.map((same, i) => (i === input ? moved : same)));
        return { sample, t: (moved[flat] as number) - x };
      },
      analytic: (output) => this.#problem.analytic[output]?.[input]?.[flat] as number,
    };
  }

  /** A direction that moves every entry in proportion to its size. */
  drawDirection(key: random.Key): Float64Array {
    const draws = random.normal(key, [this.size], { dtype: "float64" }).data;
    const direction = new Float64Array(this.size);
    let at = 0;
    for (const data of this.base)
      for (const x of data) {
        direction[at] = ((draws[at] as number) * Math.max(Math.abs(x), 1)) / Math.sqrt(this.size);
        at++;
      }
    return direction;
  }

  /** The line along the part of a direction that moves one run of entries. */
  directionLine(direction: Float64Array, run: Run, name: string): Line {
    const forEach = (visit: (input: number, flat: number, v: number) => void): void => {
      let at = 0;
      this.base.forEach((data, input) => {
        const end = Math.min(data.length, run.from + run.size - at);
        for (let i = Math.max(0, run.from - at); i < end; i++) visit(input, i, direction[at + i] as number);
        at += data.length;
      });
    };
    return {
      input: name,
      index: [],
      group: "directions",
      x: 0,
      probe: (t) => {
        const moved = this.base.map((data) => data.slice());
        forEach((input, i, v) => {
          const data = moved[input] as TypedArray;
          data[i] = (data[i] as number) + t * v;
        });
        return { sample: this.#problem.evaluate(moved), t };
      },
      analytic: (output) => {
        let sum = 0;
        forEach((input, i, v) => {
          sum += v * (this.#problem.analytic[output]?.[input]?.[i] as number);
        });
        return sum;
      },
    };
  }

  /** Compares all outputs along one line; returns the worst failure. */
  compare(line: Line): Suspect | null {
    const outcomes = this.#judge(line, 0);
    let failed: Suspect | null = null;
    let finer: (readonly Outcome[])[] | null = null;
    for (const coarse of outcomes) {
      let outcome = coarse;
      if (coarse.failed && Number.isFinite(coarse.analytic)) {
        // What is finer than the first steps shows itself only to smaller ones.
        finer ??= [1, 2, 3].map((skip) => this.#judge(line, skip));
        const retries = finer.map((retry) => retry[coarse.output] as Outcome);
        const better = retries.find((fine) => refutes(fine, coarse));
        if (better !== undefined) {
          outcome = { ...better, failed: false, tolerance: Math.max(better.tolerance, better.error) };
        }
      }
      const suspect = suspectOf(outcome, line);
      this.#checked++;
      if (outcome.undecided) this.#undecided++;
      const pairs = this.#pairs.get(line.group) ?? [];
      pairs.push(outcome);
      this.#pairs.set(line.group, pairs);
      if (this.#worst === null || severity(suspect) > severity(this.#worst)) this.#worst = suspect;
      if (!outcome.failed) continue;
      this.#suspects.push(suspect);
      if (failed === null || severity(suspect) > severity(failed)) failed = suspect;
    }
    return failed;
  }

  #judge(line: Line, skip: number): Outcome[] {
    const { float32 } = this.#problem;
    const epsilon = float32 ? EPSILON.float32 : EPSILON.float64;
    const { atol, rtol, safety } = tolerances(this.#options, float32);
    const { derivatives, errors, rounding } = differences(line.probe, { x: line.x, epsilon, skip });
    return Array.from(derivatives, (numeric, output) => {
      const analytic = line.analytic(output);
      const estimate = errors[output] as number;
      const roundingHere = finite(rounding[output] as number);
      const larger = Math.max(finite(Math.abs(analytic)), finite(Math.abs(numeric)));
      const cap = 0.1 * larger + 0.01 * (this.#largest[output] as number);
      const tolerance = atol + rtol * larger + Math.min(safety * estimate, cap + safety * roundingHere);
      const error = Math.abs(analytic - numeric);
      const failed = !(error <= tolerance);
      const undecided = !failed && safety * roundingHere > atol + cap;
      return {
        output,
        analytic,
        numeric,
        estimate,
        rounding: roundingHere,
        error,
        tolerance,
        failed,
        undecided,
      };
    });
  }

  /** Follows the half of a direction that differs more, down to one entry; null where that one agrees. */
  bisect(direction: Float64Array, output: number): Suspect | null {
    let run: Run = { from: 0, size: this.size };
    while (run.size > 1) {
      const half = Math.floor(run.size / 2);
      const left = { from: run.from, size: half };
      const right = { from: run.from + half, size: run.size - half };
      const [a, b] = [left, right].map((each) => {
        const outcomes = this.#judge(this.directionLine(direction, each, ""), 0);
        return severity(outcomes[output] as Outcome);
      }) as [number, number];
      run = a >= b ? left : right;
    }
    let flat = run.from;
    let input = 0;
    while (flat >= (this.base[input] as TypedArray).length) flat -= (this.base[input++] as TypedArray).length;
    const line = { ...this.entryLine({ input, flat }), group: "directions" };
    const outcome = this.#judge(line, 0)[output] as Outcome;
    return outcome.failed ? suspectOf(outcome, line) : null;
  }

  /** Puts the entry that bisection found in the place of the direction that led to it. */
  replaceLast(entry: Suspect): void {
    const last = this.#suspects.pop();
    if (this.#worst === last) this.#worst = entry;
    const known = this.#suspects.some(
      ({ input, index, output }) =>
        input === entry.input && output === entry.output && String(index) === String(entry.index),
    );
    if (!known) this.#suspects.push(entry);
  }

  finish(): Comparison {
    const kept = [...this.#suspects]
      .sort((a, b) => severity(b) - severity(a))
      .slice(0, this.#options.maxFailures ?? 10);
    const causes = new Map<Suspect, Discrepancy>();
    const describe = (suspect: Suspect): Discrepancy => {
      const known = causes.get(suspect);
      if (known !== undefined) return known;
      const { outputs, order, float32 } = this.#problem;
      const { input, index, output, analytic, numeric, error, estimate, tolerance } = suspect;
      const diagnosis = suspect.failed
        ? recognize(suspect, this.#pairs.get(suspect.group) ?? [], {
            start: this.#start,
            deterministic: this.#deterministic,
            float32,
          })
        : { cause: null, explanation: null };
      const made: Discrepancy = {
        input,
        index,
        output: outputs === null ? null : (outputs[output] as string),
        order,
        analytic,
        numeric,
        error,
        estimate,
        tolerance,
        ...diagnosis,
      };
      causes.set(suspect, made);
      return made;
    };
    const failures = kept.map(describe);
    return {
      checked: this.#checked,
      undecided: this.#undecided,
      failureCount: this.#suspects.length,
      failures,
      worst: failures[0] ?? (this.#worst === null ? null : describe(this.#worst)),
      deterministic: this.#deterministic,
      float32: this.#problem.float32,
    };
  }
}

function suspectOf(outcome: Outcome, line: Line): Suspect {
  return { ...outcome, input: line.input, index: line.index, group: line.group, line };
}

/** How far an outcome is out of its tolerance: above 1 it fails. */
function severity({ error, tolerance }: { readonly error: number; readonly tolerance: number }): number {
  if (Number.isNaN(error)) return Infinity;
  return tolerance === 0 ? (error === 0 ? 0 : Infinity) : error / tolerance;
}

/**
 * Whether smaller steps take a difference back: they agree with the analytic derivative, and could tell a quarter of
 * the difference.
 */
function refutes(fine: Outcome, coarse: Outcome): boolean {
  const agrees = !fine.failed || fine.error <= 2 * fine.estimate;
  return agrees && Math.max(fine.error, fine.estimate) <= 0.25 * coarse.error;
}

function finite(x: number): number {
  return Number.isFinite(x) ? x : 0;
}
