/**
 * Makes elementwise operations of their expressions: eager scalars, eager tensor loops and both directions of
 * derivatives, all from the one definition. Code is generated once per operation; where `new Function` is forbidden,
 * closures over the same expressions do the work.
 */

import { type Arithmetic, type Expression, integers, numbers, sourceArithmetic } from "./arithmetic.ts";
import { allocate, commonDType, type DType, isFloat, roundTo, type TypedArray } from "./dtype.ts";
import { broadcastLoops } from "./loops.ts";
import { apply, type Defined, type Draw, define, type Elementwise, type Operation, operands } from "./op.ts";
import { broadcastShapes, type Shape, sameShape } from "./shape.ts";
import { broadcastEdges } from "./spread.ts";
import { type Operand, SCALAR, state, type TensorType, tensorType, Value } from "./value.ts";

/**
 * How an elementwise operation treats dtypes: "float" turns integers into float64, "number" keeps them (bool becomes
 * int32), "comparison" returns bool, "selection" leaves the first operand, a condition, out of the promotion.
 */
export type DTypeRule = "float" | "number" | "comparison" | "selection";

/** The open interval that the laws draw an operand from. */
export type Interval = readonly [low: number, high: number];

/** ∂y/∂x of one operand. */
type Partial1 = <T, M>(x: T, y: T, m: Arithmetic<T, M>) => T;
/** ∂y/∂a or ∂y/∂b. */
type Partial2 = <T, M>(a: T, b: T, y: T, m: Arithmetic<T, M>) => T;
/** The product of dy with a partial, for operations that select: `select` keeps what it drops from leaking NaN. */
type Pull1 = <T, M>(dy: T, x: T, y: T, m: Arithmetic<T, M>) => T;
/** The same of two operands. */
type Pull2 = <T, M>(dy: T, a: T, b: T, y: T, m: Arithmetic<T, M>) => T;

/** What the author of an operation of one operand states: `partial` or `pull`, or neither where it has no derivative. */
export interface UnaryParts {
  readonly name: string;
  readonly dtypes?: DTypeRule;
  readonly expression: <T, M>(x: T, m: Arithmetic<T, M>) => T;
  readonly partial?: Partial1;
  readonly pull?: Pull1;
  /** Where the laws draw from; by default (−2, 2). */
  readonly domain?: Interval;
}

/** What the author of an operation of two operands states; derivatives as in `UnaryParts`, one an operand. */
export interface BinaryParts {
  readonly name: string;
  readonly dtypes?: DTypeRule;
  readonly expression: <T, M>(a: T, b: T, m: Arithmetic<T, M>) => T;
  readonly partials?: readonly [Partial2, Partial2];
  readonly pulls?: readonly [Pull2, Pull2];
  readonly domains?: readonly [Interval, Interval];
}

const REALS: Interval = [-2, 2];

/** Makes an operation of one operand. */
export function unary(parts: UnaryParts): Defined<(x: Operand) => Value> {
  const { name, dtypes = "float", expression, partial, pull, domain = REALS } = parts;
  let rule: Expression | null = null;
  if (pull !== undefined)
    rule = <T, M>(xs: readonly T[], m: Arithmetic<T, M>) => {
      const [x, y, dy] = xs as [T, T, T];
      return pull(dy, x, y, m);
    };
  else if (partial !== undefined)
    rule = <T, M>(xs: readonly T[], m: Arithmetic<T, M>) => {
      const [x, y, dy] = xs as [T, T, T];
      return m.scale(dy, partial(x, y, m));
    };
  const record = elementwise({
    name,
    dtypes,
    expression: <T, M>(xs: readonly T[], m: Arithmetic<T, M>) => expression(xs[0] as T, m),
    pulls: [rule],
  });
  const samples = (draw: Draw) => [[], [3], [2, 1, 2], [0]].map((shape) => [draw(shape, domain)]);
  const slow = (x: Operand): Value => apply(record, operands(name, [x]), null);
  return define({ name, operation: record, samples }, scalarFastPath(record, slow) as (x: Operand) => Value);
}

/** Makes an operation of two operands. */
export function binary(parts: BinaryParts): Defined<(a: Operand, b: Operand) => Value> {
  const { name, dtypes = "float", expression, partials, pulls, domains = [REALS, REALS] } = parts;
  const rule = (i: 0 | 1): Expression | null => {
    if (pulls !== undefined)
      return <T, M>(xs: readonly T[], m: Arithmetic<T, M>) => {
        const [a, b, y, dy] = xs as [T, T, T, T];
        return pulls[i](dy, a, b, y, m);
      };
    if (partials !== undefined)
      return <T, M>(xs: readonly T[], m: Arithmetic<T, M>) => {
        const [a, b, y, dy] = xs as [T, T, T, T];
        return m.scale(dy, partials[i](a, b, y, m));
      };
    return null;
  };
  const record = elementwise({
    name,
    dtypes,
    expression: <T, M>(xs: readonly T[], m: Arithmetic<T, M>) => expression(xs[0] as T, xs[1] as T, m),
    pulls: [rule(0), rule(1)],
  });
  const shapes = [
    [[], []],
    [[3], [3]],
    [[2, 3], []],
    [[], [2]],
    [
      [2, 1],
      [1, 3],
    ],
    [[3], [2, 3]],
    [[0, 2], [2]],
  ] as const;
  const samples = (draw: Draw) => shapes.map(([a, b]) => [draw(a, domains[0]), draw(b, domains[1])]);
  const slow = (a: Operand, b: Operand): Value => apply(record, operands(name, [a, b]), null);
  const f = scalarFastPath(record, slow) as (a: Operand, b: Operand) => Value;
  return define({ name, operation: record, samples }, f);
}

/** What an elementwise record is made of. */
export interface ElementwiseParts {
  readonly name: string;
  readonly dtypes: DTypeRule;
  readonly expression: Expression;
  /** One an input: its cotangent from the inputs, y and dy. */
  readonly pulls: readonly (Expression | null)[];
}

/** Makes an elementwise record; its arity is the number of `pulls`. */
export function elementwise({ name, dtypes, expression, pulls }: ElementwiseParts): Operation<null> {
  const arity = pulls.length;
  const forward = mapOf({ name, arity, expression });
  const backward = pulls.map((pull, i) =>
    pull === null ? null : mapOf({ name: `${name}Pull${i}`, arity: arity + 2, expression: pull }),
  );

  const pullOperations: Operation<null>[] = [];

  const computeDType = (types: readonly TensorType[]): DType => {
    const common = commonDType(dtypes === "selection" ? types.slice(1) : types);
    if (isFloat(common) || dtypes === "comparison" || dtypes === "selection") return common;
    return dtypes === "float" ? "float64" : "int32";
  };

  const part: Elementwise = {
    arity,
    computes: computeDType,
    expression,
    pulls,
    reads: (index, operand) => backward[index]?.reads(operand) ?? false,
    passes: (index) => backward[index]?.returns(arity + 1) ?? false,
    pullScalar(node, dy, cotangents, present) {
      part.pullScalar = compilePullScalar(pulls, arity);
      part.pullScalar(node, dy, cotangents, present);
    },
    pullTensor(node, dy, index, into) {
      const { type } = node;
      const out = into ?? allocate(type.dtype, type.size);
      (backward[index] as ElementwiseMap).run(
        type.dtype,
        type.shape,
        out,
        [...node.inputs, node, dy],
        into !== null,
      );
      return out;
    },
    pullOperation(index) {
      pullOperations[index] ??= pullOperation(
        `${name}Pull${index}`,
        arity + 2,
        pulls[index] as Expression,
        backward[index] as ElementwiseMap,
      );
      return pullOperations[index];
    },
  };

  const record: Operation<null> = {
    name,
    linear: false,
    batch: null,
    lowering: null,
    spread: (xs, _, { shape }) => xs.map((x) => broadcastEdges(x.shape, shape)),
    elementwise: part,
    infer(types) {
      const first = types[0] as TensorType;
      const compute = computeDType(types);
      const dtype = dtypes === "comparison" ? "bool" : compute;
      if (types.every((type) => type === first))
        return first.dtype === dtype ? first : tensorType(first.shape, dtype);
      const shape = broadcastShapes(
        name,
        types.map((type) => type.shape),
      );
      return tensorType(shape, dtype);
    },
    evaluate(inputs, _, type) {
      const compute = computeDType(inputs.map((x) => x.type));
      if (type.shape.length === 0) {
        const xs = inputs.map((x) => roundTo(compute, x.storage as number));
        return roundTo(type.dtype, expression(xs, compute === "int32" ? integers : numbers));
      }
      const out = allocate(type.dtype, type.size);
      forward.run(compute, type.shape, out, inputs, false);
      return out;
    },
    differentiable: pulls.some((pull) => pull !== null),
    vjp: null,
    jvp: null,
  };
  return record;
}

/**
 * A rule as an operation: of its operation's inputs, output y and cotangent dy, in y's type. The kernels are those of
 * the numeric sweep, so the numbers are the same to the bit.
 */
function pullOperation(
  name: string,
  arity: number,
  expression: Expression,
  map: ElementwiseMap,
): Operation<null> {
  const record = elementwise({ name, dtypes: "number", expression, pulls: new Array(arity).fill(null) });
  const typeOf = (types: readonly TensorType[]) => types[arity - 2] as TensorType;
  return {
    ...record,
    elementwise: { ...(record.elementwise as Elementwise), computes: (types) => typeOf(types).dtype },
    infer: typeOf,
    evaluate(inputs, _, type) {
      if (type.shape.length === 0) {
        const xs = inputs.map((x) => roundTo(type.dtype, x.storage as number));
        return roundTo(type.dtype, expression(xs, numbers));
      }
      const out = allocate(type.dtype, type.size);
      map.run(type.dtype, type.shape, out, inputs, false);
      return out;
    },
  };
}

/** An expression applied to every element of its operands. */
interface ElementwiseMap {
  /** Whether the expression uses an operand. */
  reads(operand: number): boolean;
  /** Whether the expression is nothing but an operand. */
  returns(operand: number): boolean;
  /** Writes the results into `out`, or adds them to it; `compute` is the dtype that the operands meet in. */
  run(compute: DType, shape: Shape, out: TypedArray, operands: readonly Value[], accumulate: boolean): void;
}

/**
 * Two nested loops over `outer` × `inner` elements of `out` from `o` on. Operand k is read from `arrays[k]`, beginning
 * at `starts[k]` and stepping by `strides[k]` from one run of the inner loop to the next.
 */
type Kernel = (
  outer: number,
  inner: number,
  out: TypedArray,
  o: number,
  arrays: readonly TypedArray[],
  starts: ArrayLike<number>,
  strides: ArrayLike<number>,
) => void;

/** How one kernel differs from others of the same expression. */
interface KernelVariant {
  /** The operands that the expression uses; the others are not passed. */
  readonly used: readonly number[];
  /** For each of them, its step in the inner loop: 0 or 1. */
  readonly steps: readonly number[];
  /** Whether products wrap at 32 bits. */
  readonly wraps: boolean;
  /** Whether terms of sums are rounded to float32. */
  readonly rounds: boolean;
  /** Whether results are added to what is there. */
  readonly accumulate: boolean;
}

const ZEROS = new Int32Array(8);

function mapOf({
  name,
  arity,
  expression,
}: {
  name: string;
  arity: number;
  expression: Expression;
}): ElementwiseMap {
  // One kernel for each combination of dtypes and steps, so that each sees one kind of array.
  const kernels = new Map<number, Kernel>();
  let known: { used: readonly number[]; result: string } | null = null;
  const analysis = () => {
    if (known === null) {
      const { statements, result } = trace(expression, arity, false);
      const text = `${statements.join("\n")}\n${result}`;
      const used = Array.from({ length: arity }, (_, k) => k).filter((k) =>
        new RegExp(`\\bx${k}\\b`).test(text),
      );
      known = { used, result };
    }
    return known;
  };
  const kernelFor = (key: number, variant: KernelVariant): Kernel => {
    let kernel = kernels.get(key);
    if (kernel === undefined) {
      kernel = generatesCode()
        ? compileKernel(name, expression, arity, variant)
        : closureKernel(expression, arity, variant);
      kernels.set(key, kernel);
    }
    return kernel;
  };
  return {
    reads: (operand) => analysis().used.includes(operand),
    returns: (operand) => analysis().result === `x${operand}`,
    run(compute, shape, out, xs, accumulate) {
      const { used } = analysis();
      const wraps = compute === "int32";
      const rounds = compute === "float32";
      const arrays: TypedArray[] = [];
      const steps: number[] = [];
      // A leading 1, so that keys of different length differ.
      let key = 8 | (CODE[compute] << 1) | (accumulate ? 1 : 0);
      let flat = true;
      for (let n = 0; n < used.length; n++) {
        const x = xs[used[n] as number] as Value;
        const scalar = typeof x.storage === "number";
        arrays.push(arrayOf(x, compute));
        steps.push(x.type.size === 1 ? 0 : 1);
        key = (key << 3) | (CODE[scalar ? compute : x.type.dtype] << 1) | (steps[n] as number);
        if (x.type.size !== 1 && !sameShape(x.type.shape, shape)) flat = false;
      }
      if (flat) {
        kernelFor(key, { used, steps, wraps, rounds, accumulate })(
          1,
          out.length,
          out,
          0,
          arrays,
          ZEROS,
          ZEROS,
        );
        return;
      }
      const loops = broadcastLoops(
        shape,
        used.map((k) => (xs[k] as Value).shape),
      );
      const { outer, inner, outerStrides, innerStrides, runs, starts } = loops;
      key = innerStrides.reduce((bits, step) => (bits << 1) | step, key);
      const kernel = kernelFor(key, { used, steps: innerStrides, wraps, rounds, accumulate });
      for (let run = 0; run < runs; run++) {
        const from = starts.map((offsets) => offsets[run] as number);
        kernel(outer, inner, out, run * outer * inner, arrays, from, outerStrides);
      }
    },
  };
}

/** Two bits for a dtype, in keys of kernels. */
const CODE: Record<DType, number> = { float64: 0, float32: 1, int32: 2, bool: 3 };

/** A value's elements as an array; a scalar is rounded to the dtype that it meets others in. */
function arrayOf(x: Value, compute: DType): TypedArray {
  if (typeof x.storage !== "number") return x.storage as TypedArray;
  const array = allocate(compute, 1);
  array[0] = x.storage;
  return array;
}

/** Writes an expression of `arity` operands named x0, x1, … as statements; `scope` is what they call. */
function trace(
  expression: Expression,
  arity: number,
  wraps: boolean,
  scope: Record<string, unknown> = {},
): { statements: string[]; result: string } {
  const statements: string[] = [];
  const names = Array.from({ length: arity }, (_, k) => `x${k}`);
  const result = expression(names, sourceArithmetic(statements, scope, wraps));
  return { statements, result };
}

let generates: boolean | null = null;

/** Whether code may be generated: not under a content security policy without `unsafe-eval`. */
function generatesCode(): boolean {
  if (generates === null) {
    try {
      new Function("");
      generates = true;
    } catch {
      generates = false;
    }
  }
  return generates;
}

/** Forbids code generation as a content security policy would, or permits it again: for tests. */
export function setCodeGeneration(on: boolean): void {
  generates = on;
}

/** The function that `source` returns, with the names in `scope` known to it. */
function generate(source: string, scope: Record<string, unknown>): unknown {
  return new Function(...Object.keys(scope), source)(...Object.values(scope));
}

function compileKernel(name: string, expression: Expression, arity: number, variant: KernelVariant): Kernel {
  const { used, steps, wraps, rounds, accumulate } = variant;
  const scope = {};
  const { statements, result } = trace(expression, arity, wraps, scope);
  // A float32 sum adds terms that are rounded themselves, as it does where each is an array of its own.
  const store = (y: string) => (accumulate ? `+= ${rounds ? `Math.fround(${y})` : y}` : `= ${y}`);
  const each = (step: number, line: (k: number, n: number) => string) =>
    used.map((k, n) => (steps[n] === step ? line(k, n) : "")).join("");
  const element = (i: string) => `{
        ${each(1, (k) => `const x${k} = a${k}[i${k} + ${i}];`)}
        ${statements.join("\n        ")}
        out[o + ${i}] ${store(result)};
      }`;
  // Four elements an iteration: V8 checks and counts once for them (docs/decisions/0004-eager-loops.md).
  const source = `return function ${name}(outer, inner, out, o, arrays, starts, strides) {
  ${used.map((k, n) => `const a${k} = arrays[${n}]; let i${k} = starts[${n}];`).join("\n  ")}
  for (let j = 0; j < outer; j++) {
    ${each(0, (k) => `const x${k} = a${k}[i${k}];`)}
    let i = 0;
    for (; i + 3 < inner; i += 4) {
      ${["i", "i + 1", "i + 2", "i + 3"].map(element).join(" ")}
    }
    for (; i < inner; i++) ${element("i")}
    o += inner;
    ${used.map((k, n) => `i${k} += strides[${n}];`).join(" ")}
  }
}`;
  return generate(source, scope) as Kernel;
}

/** The same kernel without code generation. */
function closureKernel(expression: Expression, arity: number, variant: KernelVariant): Kernel {
  const { used, steps, wraps, rounds, accumulate } = variant;
  const m = wraps ? integers : numbers;
  const xs = new Array<number>(arity).fill(0);
  return (outer, inner, out, o, arrays, starts, strides) => {
    for (let j = 0; j < outer; j++) {
      for (let i = 0; i < inner; i++, o++) {
        for (let n = 0; n < used.length; n++) {
          const at = (starts[n] as number) + j * (strides[n] as number) + i * (steps[n] as number);
          xs[used[n] as number] = (arrays[n] as TypedArray)[at] as number;
        }
        const y = expression(xs, m);
        out[o] = accumulate ? (out[o] as number) + (rounds ? Math.fround(y) : y) : y;
      }
    }
  };
}

/** The public function of a record with one or two operands: scalars take a path of generated straight-line code. */
function scalarFastPath(
  record: Operation<null>,
  slow: (...xs: Operand[]) => Value,
): (...xs: Operand[]) => Value {
  if (!generatesCode()) return slow;
  const { arity, expression, pulls } = record.elementwise as Elementwise;
  const type = record.infer(new Array(arity).fill(SCALAR), null);
  const differentiable = pulls.some((pull) => pull !== null);
  const scope = { Value, SCALAR, state, type, record, slow };
  const { statements, result } = trace(expression, arity, false, scope);
  const body = (tracked: string, inputs: string) => `
    ${statements.join("\n    ")}
    const tracked = ${differentiable ? `state.recording && (${tracked})` : "false"};
    return new Value(type, ${result}, record, ${inputs}, tracked);`;
  const source =
    arity === 1
      ? `return function ${record.name}(a) {
  if (a instanceof Value && a.type === SCALAR && state.plain) {
    const x0 = a.storage;
    if (typeof x0 === "number") {${body("a.tracked", "tracked ? a : null, null")}
    }
  }
  return slow(a);
}`
      : `return function ${record.name}(a, b) {
  if (typeof b === "number") {
    if (a instanceof Value && a.type === SCALAR) b = new Value(SCALAR, b, null, null, null, false);
  } else if (typeof a === "number" && b instanceof Value && b.type === SCALAR) {
    a = new Value(SCALAR, a, null, null, null, false);
  }
  if (a instanceof Value && b instanceof Value && a.type === SCALAR && b.type === SCALAR && state.plain) {
    const x0 = a.storage, x1 = b.storage;
    if (typeof x0 === "number" && typeof x1 === "number") {${body("a.tracked || b.tracked", "tracked ? a : null, tracked ? b : null")}
    }
  }
  return slow(a, b);
}`;
  return generate(source, scope) as (...xs: Operand[]) => Value;
}

/** Generates the reverse step of a scalar node: one function for all inputs, so that the sweep makes one call a node. */
function compilePullScalar(pulls: readonly (Expression | null)[], arity: number): Elementwise["pullScalar"] {
  if (!generatesCode()) return closurePullScalar(pulls, arity);
  const inputs = arity <= 2 ? ["node.a", "node.b"] : pulls.map((_, k) => `node.extra.inputs[${k}]`);
  const scope = {};
  const steps = pulls.map((pull, k) => {
    if (pull === null) return "";
    const { statements, result } = trace(pull, arity + 2, false, scope);
    return `if (n${k}.tracked) {
    ${statements.join("\n    ")}
    const mark = n${k}.mark;
    cotangents[mark] += ${result};
    present[mark] = 1;
  }`;
  });
  const source = `return function pull(node, dy, cotangents, present) {
  const ${pulls.map((_, k) => `n${k} = ${inputs[k]}, x${k} = n${k}.storage`).join(", ")};
  const x${arity} = node.storage, x${arity + 1} = dy;
  ${steps.join("\n  ")}
}`;
  return generate(source, scope) as Elementwise["pullScalar"];
}

/** The same step without code generation. */
function closurePullScalar(pulls: readonly (Expression | null)[], arity: number): Elementwise["pullScalar"] {
  return (node, dy, cotangents, present) => {
    const { inputs } = node;
    const xs = [...inputs, node].map((x) => x.storage as number);
    for (let k = 0; k < arity; k++) {
      const pull = pulls[k] as Expression | null;
      const input = inputs[k] as Value;
      if (pull === null || !input.tracked) continue;
      cotangents[input.mark] = (cotangents[input.mark] as number) + pull([...xs, dy], numbers);
      present[input.mark] = 1;
    }
  };
}
