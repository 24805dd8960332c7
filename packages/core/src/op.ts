/** The operation record, and the only place where recorded nodes are made. */

import type { Expression } from "./arithmetic.ts";
import { allocate, commonDType, type DType, dtypeBeside, isFloat, type TypedArray } from "./dtype.ts";
import { ArgumentError, describe } from "./errors.ts";
import type { Box } from "./loops.ts";
import type { Spread } from "./spread.ts";
import { current, state } from "./state.ts";
import { type TensorType, tensorType } from "./tensor-type.ts";
import type { CondAttributes } from "./transforms/control/cond.ts";
import type { WhileAttributes } from "./transforms/control/passes.ts";
import type { ScanAttributes } from "./transforms/control/scan.ts";
import { constant, extraOf, type Operand, Value, value } from "./value.ts";

/** What a derivative rule may look at: the node's inputs, its primal output, and its attributes. */
export interface NodeView<A> {
  readonly inputs: readonly Value[];
  readonly output: Value;
  readonly attributes: A;
}

/**
 * The cotangent of one input from the output's: `dy` ↦ `dx`, in public operations. It may have the shape and dtype
 * that the operation broadcast and promoted the input to; the sweep brings both back. `null` where nothing flows.
 */
export type Pullback<A> = (dy: Value, node: NodeView<A>, index: number) => Value | null;

/**
 * The operation over a batch of `size`: those inputs that `batched` names have it as an axis before their own, and so
 * has the result. In public operations. `lanes`, a bool an example, says whose results will be used, where not all will:
 * a loop need not go on for the others.
 */
export type BatchRule<A> = (
  inputs: readonly Value[],
  batched: readonly boolean[],
  attributes: A,
  size: number,
  lanes: Value | null,
) => Value;

/**
 * How an operation's elements come from those of its inputs, as loops that a compiler can join with others. Tensors are
 * row-major.
 */
export type Lowering =
  /** Output elements are input elements: those of a strided box of the input, in the output's shape. */
  | { readonly kind: "view"; readonly box: Box }
  /**
   * The transpose of a view: zeros, to which each input element is added at its place in a strided box of the output.
   * Where `fill` is another number the elements of the box are apart, and replace it.
   */
  | { readonly kind: "unview"; readonly box: Box; readonly fill: number }
  /** Input elements are folded into one along axes. */
  | { readonly kind: "fold"; readonly fold: "sum" | "max" | "min"; readonly axes: readonly number[] }
  /** The same numbers in the output's dtype. */
  | { readonly kind: "cast" }
  /** Inputs side by side along an axis, in order. */
  | { readonly kind: "join"; readonly axis: number }
  /** Matrix products over the last two axes; leading axes broadcast. */
  | { readonly kind: "product"; readonly transposeA: boolean; readonly transposeB: boolean }
  /** Slices of the first input along an axis, at the indices that the second input holds. */
  | { readonly kind: "take"; readonly axis: number }
  /** The transpose of take: zeros, to which slices of the first input are added at the indices along an axis. */
  | { readonly kind: "untake"; readonly axis: number }
  /** One of two graphs of the inputs after the first, which chooses. */
  | { readonly kind: "choice"; readonly attributes: CondAttributes }
  /** A graph that is run for each entry of streams. */
  | { readonly kind: "scan"; readonly attributes: ScanAttributes }
  /** Graphs that are run up and down the same steps, as many as a test allows. */
  | { readonly kind: "passes"; readonly attributes: WhileAttributes }
  /** The same in other operations. */
  | { readonly kind: "rewrite"; rewrite(inputs: readonly Value[]): Value };

/** States an operation's lowering for attributes and types; null where it can only be evaluated. */
export type LoweringRule<A> = (
  attributes: A,
  inputs: readonly TensorType[],
  output: TensorType,
) => Lowering | null;

/** Everything known about an operation. */
export interface Operation<A> {
  readonly name: string;
  /** The type of the output. Checks the inputs; throws what a user should read. */
  infer(inputs: readonly TensorType[], attributes: A): TensorType;
  /** The output's data. */
  evaluate(inputs: readonly Value[], attributes: A, type: TensorType): number | TypedArray;
  /** One rule per input, or one for all of them; `null` where an operation has no derivative. */
  readonly vjp: readonly (Pullback<A> | null)[] | Pullback<A> | null;
  /** The output's tangent from the inputs', of which one at least is there (`null` is zero), in public operations. */
  readonly jvp: ((tangents: readonly (Value | null)[], node: NodeView<A>) => Value | null) | null;
  /** The operation over a batch; null where it is applied to one example after another. */
  readonly batch: BatchRule<A> | null;
  /** Which output elements depend on which input elements; null where all may depend on all. */
  readonly spread: Spread<A> | null;
  /** The operation as loops; null where it can only be evaluated, or is elementwise and made of its expression. */
  readonly lowering: LoweringRule<A> | null;
  /** Whether the output is linear in all inputs together, so that no rule reads them. */
  readonly linear: boolean;
  /** Whether any input has a derivative rule. */
  readonly differentiable: boolean;
  /** What an elementwise operation adds; its rules are made of these expressions, and `vjp` and `jvp` are null. */
  readonly elementwise: Elementwise | null;
}

/** An operation whose attributes' type is not known here. */
export type AnyOperation = Operation<never>;

/**
 * What an operation adds that computes each element of its output from the elements at the same place of its inputs.
 */
export interface Elementwise {
  readonly arity: number;
  /** The dtype that operands of these types are brought to before the expression; a condition keeps its own. */
  computes(inputs: readonly TensorType[]): DType;
  /** The output from the inputs. */
  readonly expression: Expression;
  /**
   * For each input, its cotangent; null where nothing flows. Operands: the inputs, the output y, its cotangent dy.
   * The Jacobian of an elementwise operation is diagonal, so the same expression takes a tangent of the input to its
   * part of the output's tangent.
   */
  readonly pulls: readonly (Expression | null)[];
  /** Whether the cotangent of input `index` needs the value of operand `operand`. */
  reads(index: number, operand: number): boolean;
  /** Whether the cotangent of input `index` is dy itself. */
  passes(index: number): boolean;
  /** The cotangent of input `index` as an operation of the inputs, y and dy, in the output's type. It has no derivative. */
  pullOperation(index: number): Operation<null>;
  /**
   * For a scalar node: adds its inputs' cotangents into `cotangents` at the inputs' marks, and sets `present` there.
   */
  pullScalar: (node: Value, dy: number, cotangents: Float64Array, present: Uint8Array) => void;
  /** For a tensor node: the cotangent of input `index` in the output's shape; with `into`, added to it in place. */
  pullTensor(node: Value, dy: Value, index: number, into: TypedArray | null): TypedArray;
}

/**
 * Operands of one operation as values. A plain number takes the dtype that the values beside it have in common, so
 * that it never widens them.
 */
export function operands(where: string, xs: readonly Operand[]): Value[] {
  if (xs.every((x) => x instanceof Value)) return xs as Value[];
  const values = xs.filter((x) => x instanceof Value);
  const beside = values.length === 0 ? null : commonDType(values);
  return xs.map((x) => {
    if (typeof x === "number" && beside !== null) return constant(tensorType([], dtypeBeside(beside, x)), x);
    return operand(where, x);
  });
}

/** One operand as a value. */
export function operand(where: string, x: Operand): Value {
  if (x instanceof Value) return x;
  if (typeof x === "number" || typeof x === "boolean" || Array.isArray(x) || ArrayBuffer.isView(x))
    return value(x);
  throw new ArgumentError({
    where,
    expected: "operands must be values, numbers or arrays of numbers",
    received: describe(x),
  });
}

/**
 * Applies an operation: infers its type, evaluates it, and records it where an input is differentiable. Where the
 * data of an input is not known (while a function is captured) it is not evaluated, and always recorded.
 */
export function apply<A>(operation: Operation<A>, given: readonly Value[], attributes: A): Value {
  const inputs = asRead(given);
  const type = operation.infer(
    inputs.map((x) => x.type),
    attributes,
  );
  const known = inputs.every((x) => x.storage !== null);
  return nodeOf(
    operation,
    inputs,
    attributes,
    type,
    known ? operation.evaluate(inputs, attributes, type) : null,
  );
}

/** Values as operations read them: what stands for parameters and buffers, where a tracer is at work. */
function asRead(given: readonly Value[]): readonly Value[] {
  return state.tracer === null || given.every((x) => current(x) === x) ? given : given.map(current);
}

/** The node of an operation whose output is known already, or is not to be computed (null). */
export function makeNode<A>(
  operation: Operation<A>,
  given: readonly Value[],
  attributes: A,
  type: TensorType,
  storage: number | TypedArray | null,
): Value {
  return nodeOf(operation, asRead(given), attributes, type, storage);
}

function nodeOf<A>(
  operation: Operation<A>,
  inputs: readonly Value[],
  attributes: A,
  type: TensorType,
  storage: number | TypedArray | null,
): Value {
  const tracked =
    state.recording && operation.differentiable && isFloat(type.dtype) && inputs.some((x) => x.tracked);
  let node: Value;
  if (storage !== null && !tracked) node = new Value(type, storage, operation, null, null, false);
  else {
    node = new Value(type, storage, operation, inputs[0] ?? null, inputs[1] ?? null, tracked);
    if (attributes !== null || inputs.length > 2) {
      const extra = extraOf(node);
      extra.attributes = attributes;
      if (inputs.length > 2) extra.inputs = inputs;
    }
    if (state.constant && storage === null) extraOf(node).constant = true;
  }
  if (state.inspector !== null) state.inspector(node, inputs);
  return node;
}

/** One rule for all inputs of a rule that gives their cotangents together: it is run once, not once an input. */
export function together<A>(rule: (dy: Value, node: NodeView<A>) => readonly (Value | null)[]): Pullback<A> {
  // A sweep makes one view a node.
  const results = new WeakMap<NodeView<A>, readonly (Value | null)[]>();
  return (dy, node, index) => {
    let cotangents = results.get(node);
    if (cotangents === undefined) {
      cotangents = rule(dy, node);
      results.set(node, cotangents);
    }
    return cotangents[index] ?? null;
  };
}

/** What a record's author states; the rest has defaults. */
export interface OperationParts<A> {
  readonly name: string;
  readonly infer: Operation<A>["infer"];
  readonly evaluate: Operation<A>["evaluate"];
  readonly vjp?: Operation<A>["vjp"];
  /** May be left out of a linear operation: the tangent goes through the operation itself. */
  readonly jvp?: NonNullable<Operation<A>["jvp"]>;
  readonly linear?: boolean;
  readonly batch?: BatchRule<A>;
  readonly spread?: Spread<A>;
  readonly lowering?: LoweringRule<A>;
}

/** Makes the record of an operation that is not elementwise. */
export function operation<A>(parts: OperationParts<A>): Operation<A> {
  const { vjp = null, linear = false, batch = null, spread = null, lowering = null } = parts;
  const record: Operation<A> = {
    name: parts.name,
    infer: parts.infer,
    evaluate: parts.evaluate,
    vjp,
    linear,
    batch,
    spread,
    lowering,
    differentiable: vjp !== null,
    elementwise: null,
    jvp: parts.jvp ?? (linear ? pushThrough : null),
  };
  function pushThrough(tangents: readonly (Value | null)[], { inputs, attributes }: NodeView<A>): Value {
    return apply(
      record,
      tangents.map((t, i) => t ?? zerosLike(inputs[i] as Value)),
      attributes,
    );
  }
  return record;
}

/** A constant whose elements are all the same. */
export function filled(type: TensorType, x: number): Value {
  if (type.shape.length === 0) return constant(type, x);
  const data = allocate(type.dtype, type.size);
  if (x !== 0) data.fill(x);
  return constant(type, data);
}

/** Zeros of a value's type. */
export function zerosLike(x: Value): Value {
  return filled(x.type, 0);
}

/** Draws a value of a shape, seeded, its elements in the open interval given (by default (−2, 2)). */
export type Draw = (shape: readonly number[], interval?: readonly [number, number]) => Value;

/** What the laws and the documentation need to know of a public operation. */
export interface Definition {
  readonly name: string;
  /** The record, or null where the operation is written in others. */
  readonly operation: AnyOperation | null;
  /** Argument lists at which the laws hold the operation to its derivatives. */
  readonly samples: (draw: Draw) => readonly (readonly unknown[])[];
}

/** A public operation: a function that carries its definition. */
export type Defined<F> = F & { readonly definition: Definition };

/** Makes a public operation of a function. */
export function define<F extends (...args: never[]) => unknown>(definition: Definition, f: F): Defined<F> {
  return Object.assign(f, { definition });
}
