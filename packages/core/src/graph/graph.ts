/** Graph: what a function does, as a list of operations that can be evaluated, printed and transformed. */

import { ArgumentError, ShapeError } from "../errors.ts";
import { type AnyOperation, apply } from "../op.ts";
import { formatShape, sameShape } from "../shape.ts";
import { noGrad } from "../sweep/backward.ts";
import { shortName, type Value } from "../value.ts";

/** A captured function: its inputs, its operations in topological order, its outputs. */
export class Graph {
  /** What stands for the arguments: values with a type but no data. */
  readonly inputs: readonly Value[];
  /** The operations that the outputs depend on, inputs before outputs; each is the value it makes. */
  readonly nodes: readonly Value[];
  /** The results. One that depends on no input is a constant. */
  readonly outputs: readonly Value[];

  /** @internal */
  constructor(inputs: readonly Value[], nodes: readonly Value[], outputs: readonly Value[]) {
    this.inputs = inputs;
    this.nodes = nodes;
    this.outputs = outputs;
  }

  /**
   * Runs the operations on arguments of the inputs' shapes and dtypes. Recorded as if the function ran.
   *
   * Throws: ShapeError for an argument of another shape, ArgumentError for another number of them.
   */
  evaluate(...args: readonly Value[]): Value[] {
    if (args.length !== this.inputs.length) {
      throw new ArgumentError({
        where: "Graph.evaluate",
        expected: `${this.inputs.length} arguments`,
        received: String(args.length),
      });
    }
    const values = new Map<Value, Value>();
    this.inputs.forEach((input, i) => {
      const arg = args[i] as Value;
      if (!sameShape(arg.shape, input.shape) || arg.dtype !== input.dtype) {
        throw new ShapeError({
          where: "Graph.evaluate",
          expected: `argument ${i} must be ${input.dtype} ${formatShape(input.shape)}, as captured`,
          received: `${arg.dtype} ${formatShape(arg.shape)}`,
        });
      }
      values.set(input, arg);
    });
    const known = (x: Value) => values.get(x) ?? x;
    for (const node of this.nodes) {
      values.set(
        node,
        asCaptured(node, () =>
          apply(node.op as AnyOperation, node.inputs.map(known), node.attributes as never),
        ),
      );
    }
    return this.outputs.map(known);
  }

  /** What the operations and outputs read that is neither an input, nor made here, nor known: values of a capture around. */
  get outside(): Value[] {
    const own = new Set([...this.inputs, ...this.nodes]);
    const read = [...this.nodes.flatMap((node) => node.inputs), ...this.outputs];
    return [...new Set(read.filter((x) => (x.storage === null || x.tracked) && !own.has(x)))];
  }

  /** The same graph with values from outside as further inputs. */
  withInputs(more: readonly Value[]): Graph {
    return new Graph([...this.inputs, ...more], this.nodes, this.outputs);
  }

  /** The operations, one a line: `%2 = mul(%0, %1) : float64 [3]`. */
  toString(): string {
    const names = new Map<Value, string>();
    const nameOf = (x: Value) => names.get(x) ?? constantName(x);
    this.inputs.forEach((x, i) => {
      names.set(x, `%${i}`);
    });
    this.nodes.forEach((x, i) => {
      names.set(x, `%${this.inputs.length + i}`);
    });
    const typed = (x: Value) => `${nameOf(x)} : ${x.dtype} ${formatShape(x.shape)}`;
    const lines = this.nodes.map((node) => {
      const attributes = node.attributes === null ? "" : ` ${formatAttributes(node.attributes)}`;
      const label = node.label === null ? "" : ` ${JSON.stringify(node.label)}`;
      const call = `${node.op?.name}(${node.inputs.map(nameOf).join(", ")})`;
      return `  ${nameOf(node)} = ${call}${attributes} : ${node.dtype} ${formatShape(node.shape)}${label}`;
    });
    return [
      `graph (${this.inputs.map(typed).join(", ")}) {`,
      ...lines,
      `  return ${this.outputs.map(nameOf).join(", ")}`,
      "}",
    ].join("\n");
  }
}

/** Does the work of a captured node: without recording where it was captured inside noGrad. */
export function asCaptured(node: Value, work: () => Value): Value {
  return node.extra?.constant ? noGrad(work) : work();
}

function constantName(x: Value): string {
  if (x.label !== null) return x.label;
  return typeof x.storage === "number" ? String(x.storage) : shortName(x);
}

function formatAttributes(attributes: unknown): string {
  return JSON.stringify(attributes).replaceAll('"', "").replaceAll(",", ", ").replaceAll(":", ": ");
}
