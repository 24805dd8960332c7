/** The laws that every operation obeys, held against the samples that its definition gives. */

import {
  add,
  backward,
  cast,
  type DType,
  jvp,
  mul,
  noGrad,
  type Operand,
  parameter,
  stack,
  sum,
  type TypedArray,
  type Value,
  value,
  vjp,
  vmap,
} from "@adjoint/core";
import { checkOptions, type Definition, type OptionNames, operands } from "@adjoint/core/operations";
import { differences, type Sample } from "./differences.ts";
import { ancestors, isFloating } from "./leaves.ts";
import { inner, moved, outputsOf, type Trial, trialsOf } from "./trial.ts";

/**
 * A law:
 *
 * - "type": every node has the shape and dtype that its record infers, and data to fill them.
 * - "determinism": the same inputs give the same bits, forward and backward.
 * - "purity": sweeps change neither inputs nor outputs nor cotangents.
 * - "tracking": what has no derivative is not recorded and is flat; what has one is recorded.
 * - "vjp", "jvp": derivatives agree with central differences along random directions.
 * - "duality": ⟨ȳ, jvp(t)⟩ = ⟨vjp(ȳ), t⟩.
 * - "linearity": vjp and jvp are linear in what they carry.
 * - "apart": inputs that are differentiated one at a time receive what they do together, and second derivatives are
 *   linear in their direction.
 * - "transpose": the derivative of vjp(ȳ) by ȳ is the jvp.
 * - "second order": the derivative of vjp agrees with central differences of it, in reverse and in forward mode.
 * - "third order": the derivative of that derivative agrees with central differences as well, in both modes.
 * - "recording": a recorded sweep computes what an unrecorded one does, and reaches the same parameters.
 * - "aliasing": one value in the place of two operands receives both cotangents.
 * - "batching": under vmap the operation, its vjp and the derivative of that compute what a loop over the batch does.
 * - "float32": results and derivatives in float32 are those of float64, rounded; the dtype stays.
 */
export type Law =
  | "type"
  | "determinism"
  | "purity"
  | "tracking"
  | "vjp"
  | "jvp"
  | "duality"
  | "linearity"
  | "apart"
  | "transpose"
  | "second order"
  | "third order"
  | "recording"
  | "aliasing"
  | "batching"
  | "float32";

/** A law that an operation breaks at one of its samples. */
export interface Violation {
  readonly law: Law;
  readonly operation: string;
  /** Which of the trials: samples in order, an elementwise one followed by its other shapes. */
  readonly sample: number;
  /** What must hold and what was found. */
  readonly message: string;
}

/** Options of `checkLaws`. */
export interface LawOptions {
  /** Seed of the points. By default 0. */
  readonly seed?: number;
  /** How often the samples are drawn anew. By default 2. */
  readonly points?: number;
}

const LAW: OptionNames<LawOptions> = { seed: true, points: true };

/** A public operation as the laws see it. */
export interface LawfulOperation {
  (...args: never[]): unknown;
  readonly definition: Definition;
}

/**
 * Holds an operation to the laws at seeded random points, and returns what it breaks.
 *
 * The points are the argument lists that `f.definition.samples` gives; floating values anywhere in them are the
 * inputs. An elementwise operation is also tried as a scalar, at size 1 and empty.
 *
 * @example
 * checkLaws(mul) // []
 */
export function checkLaws(f: LawfulOperation, options: LawOptions = {}): Violation[] {
  const { seed = 0, points = 2 } = checkOptions("checkLaws", options, LAW);
  const violations: Violation[] = [];
  const { definition } = f;
  for (let point = 0; point < points; point++) {
    trialsOf(f, definition, seed + point).forEach((trial, sample) => {
      for (const [law, check] of Object.entries(LAWS) as [Law, Check][]) {
        let broken: string | null;
        try {
          broken = check(trial);
        } catch (error) {
          broken = `nothing may be thrown, got ${error}`;
        }
        if (broken === null) continue;
        const message = `${trial.call}: ${broken}.`;
        violations.push({ law, operation: definition.name, sample, message });
      }
    });
  }
  return violations;
}

/** What is wrong with a trial, or null. */
type Check = (trial: Trial) => string | null;

/** How far numbers that differ by rounding alone may be apart, relative to the terms they are sums of. */
const EXACT = 1e-12;

const LAWS: Record<Law, Check> = {
  type: (trial) => {
    for (const dtype of ["float64", "float32"] as const) {
      const leaves = trial.leaves.map((x) => parameter(x.data, { shape: x.shape, dtype }));
      const outputs = trial.apply(leaves);
      for (const node of [...ancestors(outputs)]) {
        const wrong =
          storageError(node) ?? (node.inputs.length === 0 ? null : inferenceError(node, node.inputs));
        if (wrong !== null) return wrong;
      }
      // Nothing is recorded of what has no derivative; an elementwise record takes the arguments as they are.
      const { operation } = trial.definition;
      const [y] = outputs;
      if (dtype === "float64" && operation?.elementwise && y !== undefined && !y.isDifferentiable) {
        const wrong = inferenceError(y, operands(trial.call, trial.args as Operand[]));
        if (wrong !== null) return wrong;
      }
    }
    return null;
  },

  determinism: (trial) => {
    const once = [outputsOf(trial), pullAt(trial, trial.leaves)(cotangents(trial))];
    const twice = [outputsOf(trial), pullAt(trial, trial.leaves)(cotangents(trial))];
    return once.every((list, i) => same(list, twice[i] as Value[]))
      ? null
      : "two runs must give the same bits";
  },

  purity: (trial) => {
    const leaves = trial.leaves.map((x) => parameter(x.data, { shape: x.shape, dtype: x.dtype }));
    const weights = cotangents(trial);
    const tangents = directions(trial, 0);
    const outputs = trial.f(...leaves);
    const [, pull] = vjp(trial.f, ...leaves);
    const watched = { inputs: leaves, outputs, cotangents: weights, tangents };
    const before = Object.values(watched).map((xs) => xs.map((x) => Array.from(x.data)));
    outputs.forEach((y, i) => {
      if (y.isDifferentiable) backward(y, weights[i]);
    });
    pull(weights);
    pull(weights.map((w) => w.mul(parameter(1, { dtype: w.dtype }))));
    jvp(trial.f, leaves, tangents);
    const after = Object.values(watched).map((xs) => xs.map((x) => Array.from(x.data)));
    const changed = Object.keys(watched).find(
      (_, i) => !sameLists(before[i] as number[][], after[i] as number[][]),
    );
    return changed === undefined ? null : `sweeps must not change ${changed}`;
  },

  tracking: (trial) => {
    const { operation } = trial.definition;
    const leaves = trial.leaves.map((x) => parameter(x.data, { shape: x.shape, dtype: x.dtype }));
    const outputs = trial.apply(leaves);
    const whole = outputs.find((y) => !isFloating(y) && y.isDifferentiable);
    if (whole !== undefined) return `a result of dtype ${whole.dtype} must not be differentiable`;
    if (leaves.length === 0 || operation === null) return null;
    const floating = outputs.filter(isFloating);
    const tracked = floating.find((y) => y.isDifferentiable);
    if (operation.differentiable) {
      const lost = floating.some((y) => !y.isDifferentiable);
      return lost ? "the result must be differentiable, since the record has derivative rules" : null;
    }
    if (tracked !== undefined)
      return "the result must not be differentiable, since the record has no derivative rule";
    const { numbers } = slopes(trial, directions(trial, 0));
    const steep = numbers.find((n) => Math.abs(n) > 1e-6);
    return steep === undefined ? null : `without a derivative rule the slope must be 0, got ${short(steep)}`;
  },

  vjp: (trial) => {
    const weights = cotangents(trial);
    const gradients = pullAt(trial, trial.leaves)(weights);
    for (let d = 0; d < 2; d++) {
      const t = directions(trial, d);
      const { numbers, errors } = slopes(trial, t);
      const analytic = inner(gradients, t);
      const flat = weights.flatMap((w) => Array.from(w.data));
      let numeric = 0;
      let size = analytic.size;
      let error = 0;
      numbers.forEach((n, i) => {
        const w = flat[i] as number;
        numeric += n * w;
        size += Math.abs(n * w);
        error += Math.abs((errors[i] as number) * w);
      });
      const wrong = apart(analytic.value, numeric, size, error);
      if (wrong)
        return `⟨vjp(ȳ), t⟩ must be ${short(numeric)} by central differences, got ${short(analytic.value)}`;
    }
    return null;
  },

  jvp: (trial) => {
    for (let d = 0; d < 2; d++) {
      const t = directions(trial, d);
      const { numbers, errors } = slopes(trial, t);
      const analytic = push(trial, t).flatMap((ty) => Array.from(ty.data));
      const size = Math.max(0, ...numbers.map(Math.abs), ...analytic.map(Math.abs));
      const i = numbers.findIndex((n, k) => apart(analytic[k] as number, n, size, errors[k] as number));
      if (i >= 0)
        return `jvp(t)[${i}] must be ${short(numbers[i] as number)} by central differences, got ${short(analytic[i] as number)}`;
    }
    return null;
  },

  duality: (trial) => {
    const weights = cotangents(trial);
    const t = directions(trial, 0);
    const forward = inner(weights, push(trial, t));
    const reverse = inner(pullAt(trial, trial.leaves)(weights), t);
    const limit = EXACT * (forward.size + reverse.size);
    if (Math.abs(forward.value - reverse.value) <= limit) return null;
    return `⟨ȳ, jvp(t)⟩ and ⟨vjp(ȳ), t⟩ must be equal, got ${short(forward.value)} and ${short(reverse.value)}`;
  },

  linearity: (trial) => {
    const [a, b] = [1.75, -0.6];
    const combine = (xs: readonly Value[], ys: readonly Value[]) =>
      xs.map((x, i) => add(mul(x, a), mul(ys[i] as Value, b)));
    const pull = pullAt(trial, trial.leaves);
    const ways = {
      vjp: [pull, cotangents(trial), cotangents(trial, 7)],
      jvp: [(t: readonly Value[]) => push(trial, t), directions(trial, 0), directions(trial, 1)],
    } as const;
    for (const [name, [carry, u, v]] of Object.entries(ways)) {
      const together = carry(combine(u, v));
      const apartSum = combine(carry(u), carry(v));
      const scale = largest([...together, ...carry(u), ...carry(v)]);
      const wrong = differing(together, apartSum, 10 * EXACT * scale);
      if (wrong !== null)
        return `${name} must be linear: ${name}(a·u + b·v) = a·${name}(u) + b·${name}(v), ${wrong}`;
      const none = carry(u.map((x) => mul(x, 0)));
      if (none.some((x) => x.data.some((entry) => entry !== 0))) return `${name} of zeros must be zero`;
    }
    return null;
  },

  apart: (trial) => {
    const { leaves } = trial;
    const weights = cotangents(trial);
    const [t, u] = [directions(trial, 0), directions(trial, 1)];
    if (leaves.length > 1) {
      // The other inputs as constants, which have no cotangents and no tangents.
      const alone = leaves.map(
        (_, i) =>
          (x: Value): Value[] =>
            trial.f(...leaves.map((leaf, k) => (k === i ? x : leaf))),
      );
      const pulled = alone.map((f, i) => {
        const [, pull] = vjp(f, leaves[i] as Value);
        return (pull(weights) as unknown as Value[])[0] as Value;
      });
      const all = pullAt(trial, leaves)(weights);
      const wrong = differing(pulled, all, 10 * EXACT * largest(all));
      if (wrong !== null) return `vjp by one input must give what vjp by all of them does, ${wrong}`;
      const parts = alone.map((f, i) => jvp(f, [leaves[i] as Value], [t[i] as Value])[1] as Value[]);
      const sums = parts.reduce((xs, ys) => xs.map((x, k) => add(x, ys[k] as Value)));
      const together = push(trial, t);
      const apart = differing(sums, together, 10 * EXACT * largest([...together, ...parts.flat()]));
      if (apart !== null) return `jvp by one input at a time must add up to jvp by all of them, ${apart}`;
    }
    const slope = (...xs: Value[]): Value => total(pullAt(trial, xs)(weights), u);
    const along = (...ts: Value[]): Value => jvp(slope, [...leaves], ts)[1] as Value;
    const expected = along(...t);
    const [, back] = vjp(along, ...u);
    const reverse = total(back(1) as Value[], t);
    const forward = jvp(along, [...u], [...t])[1] as Value;
    const scale = 1 + largest([expected, reverse, forward]);
    const bent = differing([reverse, forward], [expected, expected], 100 * EXACT * scale);
    return bent === null ? null : `the derivative of ⟨vjp(ȳ), u⟩ along t must be linear in t, ${bent}`;
  },

  transpose: (trial) => {
    const weights = cotangents(trial);
    const t = directions(trial, 0);
    const g = (...ys: Value[]): Value => total(pullAt(trial, trial.leaves)(ys), t);
    const [, back] = vjp(g, ...weights);
    const twice = back(1) as Value[];
    const forward = push(trial, t);
    const wrong = differing(twice, forward, 10 * EXACT * largest([...twice, ...forward]));
    return wrong === null ? null : `the derivative of ⟨vjp(ȳ), t⟩ by ȳ must be jvp(t), ${wrong}`;
  },

  "second order": (trial) => {
    const weights = cotangents(trial);
    const v = directions(trial, 1);
    const slope = (...xs: Value[]): Value => total(pullAt(trial, xs)(weights), v);
    return derivativeError("⟨vjp(ȳ), v⟩", slope, trial.leaves, directions(trial, 0));
  },

  "third order": (trial) => {
    const weights = cotangents(trial);
    const [t, u, v, w] = [0, 1, 2, 3].map((d) => directions(trial, d)) as [
      Value[],
      Value[],
      Value[],
      Value[],
    ];
    // Squares, so that what is pulled and pushed through the rules of rules depends on the inputs as well.
    const bent = (...xs: Value[]): Value =>
      total(
        pullAt(trial, xs)(weights).map((dx) => mul(dx, dx)),
        v,
      );
    const curvature = (...xs: Value[]): Value => {
      const [, back] = vjp(bent, ...xs);
      return add(jvp(bent, xs, [...u])[1] as Value, total(back(1) as Value[], w));
    };
    return derivativeError("the slopes of ⟨vjp(ȳ)², v⟩", curvature, trial.leaves, t);
  },

  recording: (trial) => {
    const weights = cotangents(trial);
    const pull = pullAt(trial, trial.leaves);
    const plain = pull(weights);
    const recorded = pull(weights.map((w) => parameter(w.data, { shape: w.shape, dtype: w.dtype })));
    const wrong = differing(plain, recorded, 0, 2 ** -52);
    if (wrong !== null) return `a recorded sweep must compute what an unrecorded one does, ${wrong}`;
    const [quiet, loud] = [false, true].map((createGraph) => {
      const leaves = trial.leaves.map((x) => parameter(x.data, { shape: x.shape, dtype: x.dtype }));
      trial.f(...leaves).forEach((y, i) => {
        if (y.isDifferentiable) backward(y, weights[i], { createGraph });
      });
      return leaves.map((leaf) => leaf.grad);
    }) as [(Value | null)[], (Value | null)[]];
    for (const [i, grad] of quiet.entries()) {
      const other = loud[i] as Value | null;
      if ((grad === null) !== (other === null))
        return `input ${i} must receive a gradient in both sweeps or in neither`;
      if (grad === null || other === null) continue;
      const different = differing([grad], [other], 0, 2 ** -52);
      if (different !== null) return `backward must give the same with createGraph, ${different}`;
    }
    return null;
  },

  aliasing: (trial) => {
    const [first] = trial.leaves;
    if (first === undefined) return null;
    const twins = trial.leaves.map((x) => String(x.shape) === String(first.shape));
    if (twins.filter(Boolean).length < 2) return null;
    const spread = (x: Value) => trial.leaves.map((leaf, i) => (twins[i] ? x : leaf));
    const copies = spread(first).map((x) => value(x.data, { shape: x.shape, dtype: x.dtype }));
    const [ys, pull] = vjp((x: Value) => trial.f(...spread(x)), first);
    const weights = (ys as Value[]).map((y, i) => trial.draw(200 + i, y));
    const [both] = pull(weights) as unknown as [Value];
    const parts = pullAt(trial, copies)(weights).filter((_, i) => twins[i]);
    const sumOfParts = parts.reduce((a, b) => add(a, b));
    const wrong = differing([both], [sumOfParts], 10 * EXACT * largest(parts));
    return wrong === null ? null : `f(x, x) must give x both cotangents, ${wrong}`;
  },

  batching: (trial) => {
    if (trial.leaves.length === 0 || outputsOf(trial).length === 0) return null;
    const weights = cotangents(trial);
    const v = directions(trial, 1);
    const slope = (...xs: Value[]): Value => total(pullAt(trial, xs)(weights), v);
    const g = (...xs: Value[]): Value[] => {
      const [, back] = vjp(slope, ...xs);
      return [...trial.f(...xs), ...pullAt(trial, xs)(weights), ...(back(1) as Value[])];
    };
    const all = trial.leaves.map(() => true);
    const onlyOne = trial.leaves.map((_, i) => all.map((_, k) => k === i));
    for (const mapped of trial.leaves.length === 1 ? [all] : [all, ...onlyOne]) {
      // Elements in another order stay in the domain that they were drawn from; a matrix keeps its structure (symmetric,
      // triangular, of real spectrum) only where it is scaled.
      const another = trial.definition.operation?.elementwise
        ? turned
        : (x: Value, turn: number) => cast(mul(x, 1 - turn / 64), x.dtype);
      const examples = [0, 1, 2].map((turn) =>
        trial.leaves.map((x, i) => (mapped[i] ? another(x, turn) : x)),
      );
      const batch = trial.leaves.map((x, i) =>
        mapped[i] ? stack(examples.map((leaves) => leaves[i] as Value)) : x,
      );
      const inAxes = mapped.map((is) => (is ? 0 : null));
      const together = vmap(g, { inAxes })(...batch) as Value[];
      const looped = examples.map((leaves) => g(...leaves));
      const apartResults = together.map((_, k) => stack(looped.map((ys) => ys[k] as Value)));
      const wrong = differing(together, apartResults, 10 * EXACT * (1 + largest(apartResults)));
      if (wrong !== null) return `vmap over inputs ${JSON.stringify(mapped)} must equal a loop, ${wrong}`;
    }
    return null;
  },

  float32: (trial) => {
    const narrow = trial.leaves.map((x) => cast(x, "float32"));
    const wide = narrow.map((x) => cast(x, "float64"));
    const [ys32, ys64] = [outputsOf(trial, narrow), outputsOf(trial, wide)];
    const asked = trial.args.some((x) => ["float64", "float32", "int32", "bool"].includes(x as DType));
    if (trial.leaves.length > 0 && !asked) {
      const wrong = ys32.findIndex((y, i) => y.dtype !== "float32" || ys64[i]?.dtype !== "float64");
      if (wrong >= 0)
        return `the result's dtype must be that of the inputs, got ${ys32[wrong]?.dtype} from float32`;
    }
    // Terms that cancel leave rounding of their own size, which for these samples is about 1.
    const values = differing(ys32, ys64, 64 * 2 ** -24 * (1 + largest(ys64)));
    if (values !== null) return `float32 results must be float64's, rounded, ${values}`;
    const weights = cotangents(trial).map((w) => cast(cast(w, "float32"), "float64"));
    const dx32 = pullAt(trial, narrow)(weights);
    const dx64 = pullAt(trial, wide)(weights);
    const mixed = dx32.find((dx) => dx.dtype !== "float32");
    if (mixed !== undefined) return `a cotangent must have its input's dtype, got ${mixed.dtype} for float32`;
    const gradients = differing(dx32, dx64, 128 * 2 ** -24 * (1 + largest(dx64)));
    return gradients === null ? null : `float32 cotangents must be float64's, rounded, ${gradients}`;
  },
};

/** Random cotangents of a trial's outputs. */
function cotangents(trial: Trial, offset = 0): Value[] {
  return outputsOf(trial).map((y, i) => trial.draw(100 + 10 * i + offset, y));
}

/** The d-th random direction of a trial's inputs. */
function directions(trial: Trial, d: number): Value[] {
  return trial.leaves.map((x, i) => trial.draw(1000 * (d + 1) + i, x));
}

/** From cotangents of the outputs to those of the inputs. */
function pullAt(trial: Trial, leaves: readonly Value[]): (weights: readonly Value[]) => Value[] {
  const [, pull] = vjp(trial.f, ...leaves);
  return (weights) => pull([...weights]) as Value[];
}

/** The tangents of the outputs. */
function push(trial: Trial, t: readonly Value[]): Value[] {
  return jvp(trial.f, [...trial.leaves], [...t])[1] as Value[];
}

/** A value whose elements have moved on by some places. */
function turned({ data, shape, dtype }: Value, places: number): Value {
  const { length } = data;
  return value(
    data.map((_, i) => data[(i + places) % length] as number),
    { shape, dtype },
  );
}

/** Compares the derivative of a scalar function along t, in both modes, with central differences. */
function derivativeError(
  name: string,
  f: (...xs: Value[]) => Value,
  leaves: readonly Value[],
  t: readonly Value[],
): string | null {
  const [, back] = vjp(f, ...leaves);
  const analytic = inner(back(1) as Value[], t);
  const { derivatives, errors } = differences((h) => {
    const y = noGrad(() => f(...moved(leaves, t, h))).item();
    return { sample: { values: Float64Array.of(y), sizes: Float64Array.of(Math.abs(y)) }, t: h };
  });
  const numeric = derivatives[0] as number;
  if (apart(analytic.value, numeric, analytic.size + Math.abs(numeric), errors[0] as number)) {
    return `the derivative of ${name} along t must be ${short(numeric)} by central differences, got ${short(analytic.value)}`;
  }
  const forward = (jvp(f, [...leaves], [...t])[1] as Value).item();
  // Of operands of order 1, what is smaller than rounding is 0.
  const scale = 1 + analytic.size + Math.abs(forward);
  if (Math.abs(forward - analytic.value) <= 100 * EXACT * scale) return null;
  return `forward and reverse derivatives of ${name} must be equal, got ${short(forward)} and ${short(analytic.value)}`;
}

/** Central differences of all outputs along a direction of the inputs. */
function slopes(trial: Trial, t: readonly Value[]): { numbers: number[]; errors: number[] } {
  const { derivatives, errors } = differences((h) => {
    const ys = outputsOf(trial, moved(trial.leaves, t, h)).flatMap((y) => Array.from(y.data));
    const sample: Sample = { values: Float64Array.from(ys), sizes: Float64Array.from(ys, Math.abs) };
    return { sample, t: h };
  });
  return { numbers: Array.from(derivatives), errors: Array.from(errors) };
}

/** Whether an analytic derivative is too far from a numeric one; `size` is that of the terms of both. */
function apart(analytic: number, numeric: number, size: number, error: number): boolean {
  return !(Math.abs(analytic - numeric) <= 1e-7 * size + Math.min(5 * error, 1e-4 * size) + 1e-11);
}

/** ⟨xs, weights⟩ as a value that can be differentiated. */
function total(xs: readonly Value[], weights: readonly Value[]): Value {
  return xs.map((x, i) => sum(mul(x, weights[i] as Value))).reduce((a, b) => add(a, b), value(0));
}

function largest(xs: readonly Value[]): number {
  let out = 0;
  for (const { data } of xs) for (const x of data) if (Number.isFinite(x)) out = Math.max(out, Math.abs(x));
  return out;
}

/** The first place where two lists differ by more than is allowed, as the end of a sentence. */
function differing(a: readonly Value[], b: readonly Value[], absolute: number, relative = 0): string | null {
  for (const [i, { data, shape }] of a.entries()) {
    const other = b[i] as Value;
    if (String(shape) !== String(other.shape))
      return `got shapes [${shape.join(", ")}] and [${other.shape.join(", ")}]`;
    for (let j = 0; j < data.length; j++) {
      const x = data[j] as number;
      const y = other.data[j] as number;
      if (Object.is(x, y) || x === y) continue;
      if (Math.abs(x - y) <= absolute + relative * Math.max(Math.abs(x), Math.abs(y))) continue;
      return `got ${x} and ${y}`;
    }
  }
  return null;
}

function same(a: readonly Value[], b: readonly Value[]): boolean {
  return sameLists(
    a.map(({ data }) => Array.from(data)),
    b.map(({ data }) => Array.from(data)),
  );
}

function sameLists(a: readonly (readonly number[])[], b: readonly (readonly number[])[]): boolean {
  return a.length === b.length && a.every((list, i) => list.every((x, j) => Object.is(x, b[i]?.[j])));
}

const ARRAYS: Record<DType, new (size: number) => TypedArray> = {
  float64: Float64Array,
  float32: Float32Array,
  int32: Int32Array,
  bool: Uint8Array,
};

/** What is wrong with a value's data. */
function storageError(x: Value): string | null {
  const { data, size, dtype, rank } = x;
  const name = x.operation?.name ?? "an input";
  if (!(data instanceof ARRAYS[dtype])) {
    return `the data of ${name} must be a ${ARRAYS[dtype].name} for ${dtype}, got ${data.constructor.name}`;
  }
  if (data.length !== size) {
    return `the data of ${name} must fill [${x.shape.join(", ")}], got ${data.length} elements`;
  }
  // A scalar's number is wrapped anew each time.
  if (rank === 0 && data === x.data)
    return `a scalar result of ${name} must be stored as a number, got an array`;
  if (dtype === "bool" && data.some((b) => b > 1)) return `bool results of ${name} must be 0 or 1`;
  return null;
}

/** Whether a node's type is what its record infers from its inputs. */
function inferenceError(node: Value, inputs: readonly Value[]): string | null {
  const { operation, shape, dtype } = node;
  if (operation === null) return null;
  const type = operation.infer(inputs, node.attributes as never);
  if (type.dtype === dtype && String(type.shape) === String(shape)) return null;
  return `${operation.name} must infer [${shape.join(", ")}] ${dtype}, got [${type.shape.join(", ")}] ${type.dtype}`;
}

function short(x: number): string {
  return Number.isFinite(x) ? String(Number(x.toPrecision(9))) : String(x);
}
