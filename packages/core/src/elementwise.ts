/**
 * Makes elementwise operations of their expressions: eager scalars, eager tensor loops and both directions of
 * derivatives, all from the one definition. Code is generated once per operation; where `new Function` is forbidden,
 * closures over the same expressions do the work.
 */

import { type Arithmetic, type Expression, integers, numbers } from "./arithmetic.ts";
import { allocate, commonDType, type DType, isFloat, roundTo } from "./dtype.ts";
import { type ElementwiseMap, mapOf } from "./maps.ts";
import { apply, type Defined, type Draw, define, type Elementwise, type Operation, operands } from "./op.ts";
import { compilePullScalar, scalarFastPath } from "./scalars.ts";
import { broadcastShapes } from "./shape.ts";
import { broadcastEdges } from "./spread.ts";
import { type TensorType, tensorType } from "./tensor-type.ts";
import type { Operand, Value } from "./value.ts";

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
