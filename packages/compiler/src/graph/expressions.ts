/** Elementwise operations as instructions, and what is known of these before they are asked for. */

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
  /** How many instructions there are. */
  readonly instructions: number;
  readonly calls: readonly Call[];
}

const known = new WeakMap<AnyOperation, Map<string, Needs>>();

/** The most that an elementwise node takes: less where operands are constants, or shared with other nodes. */
export function needsOf(node: FlowNode): Needs {
  const op = node.op as AnyOperation;
  let all = known.get(op);
  if (all === undefined) {
    all = new Map();
    known.set(op, all);
  }
  let key = "";
  for (const { type } of node.inputs) key += type.dtype;
  let needs = all.get(key);
  if (needs === undefined) {
    const body = new Body();
    computed(
      body,
      node,
      node.inputs.map(({ type }) => body.register(type.dtype)),
    );
    const calls = body.instructions.flatMap((s): Call[] =>
      s.kind === "call" ? [{ called: s.called, dtype: s.to.dtype, arity: s.from.length }] : [],
    );
    needs = { instructions: body.instructions.length, calls };
    all.set(key, needs);
  }
  return needs;
}
