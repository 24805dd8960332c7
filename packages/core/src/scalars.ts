/** Scalars: elementwise operations on single numbers, forward and in the reverse sweep, as generated straight lines. */

import { type Expression, numbers } from "./arithmetic.ts";
import { generate, generatesCode, trace } from "./generation.ts";
import type { Elementwise, Operation } from "./op.ts";
import { state } from "./state.ts";
import { SCALAR } from "./tensor-type.ts";
import { type Operand, Value } from "./value.ts";

/** The public function of a record with one or two operands: scalars take a path of generated straight-line code. */
export function scalarFastPath(
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
export function compilePullScalar(
  pulls: readonly (Expression | null)[],
  arity: number,
): Elementwise["pullScalar"] {
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
