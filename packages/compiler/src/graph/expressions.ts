/** Elementwise operations as instructions, and what is known of these before they are asked for. */

import type { DType } from "@adjoint/core";
import type { AnyOperation } from "@adjoint/core/operations";
import { Body } from "../kernels/body.ts";
import type { Call, Register } from "../kernels/language.ts";
import type { FlowNode } from "./flow.ts";

/** An elementwise operation on registers. */
export function computed(
  body: Body,
  { op, inputs, type }: FlowNode,
  operands: readonly Register[],
): Register {
  const part = op?.elementwise;
  if (!part) throw new Error("an elementwise operation must have an expression");
  const dtype = part.computes(inputs.map((x) => x.type));
  // A condition stays a mask; everything else meets in one dtype.
  const isReady = operands.every((x) => x.dtype === dtype || x.dtype === "bool");
  const xs = isReady ? operands : operands.map((x) => (x.dtype === "bool" ? x : body.convert(x, dtype)));
  const result = part.expression(xs, body.arithmetic(dtype));
  if (result.dtype === type.dtype) return result;
  // Integers wrap; a result that is no dtype's own is rounded as storing it would.
  return body.convert(result, type.dtype);
}

/** What an operation on operands of given dtypes, none of them known, is made of. */
interface Needs {
  readonly dtypes: readonly DType[];
  /** How many instructions there are. */
  readonly instructions: number;
  readonly calls: readonly Call[];
}

const known = new WeakMap<AnyOperation, Needs[]>();

/** The most that an elementwise node takes: less where operands are constants, or shared with other nodes. */
export function needsOf(node: FlowNode): Needs {
  const op = node.op as AnyOperation;
  let all = known.get(op);
  if (all === undefined) {
    all = [];
    known.set(op, all);
  }
  for (const needs of all) if (isFor(needs, node)) return needs;
  const needs = tried(node);
  all.push(needs);
  return needs;
}

function isFor({ dtypes }: Needs, { inputs }: FlowNode): boolean {
  for (let k = 0; k < dtypes.length; k++) if ((inputs[k] as FlowNode).type.dtype !== dtypes[k]) return false;
  return true;
}

function tried(node: FlowNode): Needs {
  const body = new Body();
  const dtypes = node.inputs.map(({ type }) => type.dtype);
  computed(
    body,
    node,
    dtypes.map((dtype) => body.register(dtype)),
  );
  const calls = body.instructions.flatMap((s): Call[] =>
    s.kind === "call" ? [{ called: s.called, dtype: s.to.dtype, arity: s.from.length }] : [],
  );
  return { dtypes, instructions: body.instructions.length, calls };
}

const additions = new Map<AnyOperation, boolean>();

/** Whether an elementwise operation is the sum of its two operands. */
export function isAddition(op: AnyOperation): boolean {
  let known = additions.get(op);
  if (known === undefined) {
    const body = new Body();
    const xs = [body.register("float64"), body.register("float64")];
    const part = op.elementwise;
    const made =
      part?.arity === 2 ? body.makerOf(part.expression(xs, body.arithmetic("float64"))) : undefined;
    known =
      made?.kind === "compute" && made.operator === "add" && made.from[0] === xs[0] && made.from[1] === xs[1];
    additions.set(op, known);
  }
  return known;
}
