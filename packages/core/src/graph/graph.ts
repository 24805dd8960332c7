/** Graph: what a function does, as a list of operations that can be evaluated, printed and transformed. */

import { ArgumentError, ShapeError } from "../errors.ts";
import { type AnyOperation, makeNode } from "../op.ts";
import { formatShape, sameShape } from "../shape.ts";
import { noGrad } from "../sweep/backward.ts";
import { markPlaces } from "../sweep/order.ts";
import { TensorType } from "../tensor-type.ts";
import { shortName, type Value } from "../value.ts";

/** A captured function: its inputs, its operations in topological order, its outputs. */
export class Graph {
  /** What stands for the arguments: values with a type but no data. */
  readonly inputs: readonly Value[];
  /** The operations that the outputs depend on, inputs before outputs; each is the value it makes. */
  readonly nodes: readonly Value[];
  /** The results. One that depends on no input is a constant. */
  readonly outputs: readonly Value[];
  #places: Places | null = null;

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
    this.inputs.forEach((input, i) => {
      const arg = args[i] as Value;
      if (!sameShape(arg.shape, input.shape) || arg.dtype !== input.dtype) {
        throw new ShapeError({
          where: "Graph.evaluate",
          expected: `argument ${i} must be ${input.dtype} ${formatShape(input.shape)}, as captured`,
          received: `${arg.dtype} ${formatShape(arg.shape)}`,
        });
      }
    });
    return this.run(args);
  }

  /** Runs the operations on arguments that are known to have the inputs' types. @internal */
  run(args: readonly Value[]): Value[] {
    const { constants, operands, outputs } = this.places;
    const values = [...args, ...constants];
    let next = 0;
    for (const node of this.nodes) {
      const inputs = node.inputs.map(() => values[operands[next++] as number] as Value);
      values.push(node.extra?.constant ? noGrad(() => again(node, inputs)) : again(node, inputs));
    }
    return Array.from(outputs, (place) => values[place] as Value);
  }

  /** Where the operations find what they read. @internal */
  get places(): Places {
    this.#places ??= findPlaces(this);
    return this.#places;
  }

  /** What the operations and outputs read that is neither an input, nor made here, nor known: values of a capture around. */
  get outside(): readonly Value[] {
    return this.places.constants.filter((x) => x.storage === null || x.tracked);
  }

  /** The same graph with values from outside as further inputs. */
  withInputs(more: readonly Value[]): Graph {
    const graph = new Graph([...this.inputs, ...more], this.nodes, this.outputs);
    if (this.#places !== null) graph.#places = withInputs(this.#places, this, more);
    return graph;
  }

  /** The operations, one a line: `%2 = mul(%0, %1) : float64 [3]`. The graphs of loops and branches stand below theirs. */
  toString(): string {
    const names = new Map<Value, string>();
    const nameOf = (x: Value) => names.get(x) ?? constantName(x);
    for (const x of [...this.inputs, ...this.nodes]) names.set(x, `%${names.size}`);
    const lines = this.nodes.flatMap((node) => {
      const { text, graphs } = formatAttributes(node.attributes);
      const label = node.label === null ? "" : ` ${JSON.stringify(node.label)}`;
      const call = `${node.op?.name}(${node.inputs.map(nameOf).join(", ")})`;
      return [`${nameOf(node)} = ${call}${text} : ${typeName(node)}${label}`, ...graphs.map(indented)];
    });
    return [
      `graph (${this.inputs.map((x) => `${nameOf(x)} : ${typeName(x)}`).join(", ")}) {`,
      ...lines.map(indented),
      `  return ${this.outputs.map(nameOf).join(", ")}`,
      "}",
    ].join("\n");
  }
}

/** Where operations find what they read: places in a list of the inputs, the constants, then the operations' results. */
export interface Places {
  readonly constants: readonly Value[];
  /** The operands of the first operation, then those of the second, and so on. */
  readonly operands: Int32Array;
  readonly outputs: Int32Array;
}

/** The places of a graph's values. */
export function placesOf(graph: Graph): Places {
  return graph.places;
}

function findPlaces({ inputs, nodes, outputs }: Graph): Places {
  const all = [...inputs, ...nodes];
  markPlaces(all);
  const known = all.length;
  const placeOf = (x: Value): number => {
    if (all[x.mark] !== x) {
      x.mark = all.length;
      all.push(x);
    }
    return x.mark;
  };
  let operands = new Int32Array(3 * nodes.length);
  let count = 0;
  for (const node of nodes) {
    const read = node.inputs;
    if (count + read.length > operands.length) {
      const longer = new Int32Array(2 * (count + read.length));
      longer.set(operands);
      operands = longer;
    }
    for (const x of read) operands[count++] = placeOf(x);
  }
  const ends = new Int32Array(outputs.map(placeOf));
  // Constants were found last, and stand before the operations.
  const constants = all.slice(known);
  const moved = (place: number) => {
    if (place < inputs.length) return place;
    return place < known ? place + constants.length : place - nodes.length;
  };
  return { constants, operands: operands.subarray(0, count).map(moved), outputs: ends.map(moved) };
}

/** The places where some of what was read from outside stands among the inputs. */
function withInputs(
  { constants, operands, outputs }: Places,
  { inputs }: Graph,
  more: readonly Value[],
): Places {
  const first = inputs.length;
  const added = new Map(more.map((x, i) => [x, first + i] as const));
  const rest = constants.filter((x) => !added.has(x));
  let next = first + more.length;
  const moves = constants.map((x) => added.get(x) ?? next++);
  const moved = (place: number) => {
    if (place < first) return place;
    return moves[place - first] ?? place + more.length + rest.length - constants.length;
  };
  return { constants: rest, operands: operands.map(moved), outputs: outputs.map(moved) };
}

/** A captured node's operation on other operands of the same types. */
function again(node: Value, inputs: readonly Value[]): Value {
  const op = node.op as AnyOperation;
  const attributes = node.attributes as never;
  const known = inputs.every((x) => x.storage !== null);
  return makeNode(
    op,
    inputs,
    attributes,
    node.type,
    known ? op.evaluate(inputs, attributes, node.type) : null,
  );
}

/** Does the work of a captured node: without recording where it was captured inside noGrad. */
export function asCaptured(node: Value, work: () => Value): Value {
  return node.extra?.constant ? noGrad(work) : work();
}

function constantName(x: Value): string {
  if (x.label !== null) return x.label;
  return typeof x.storage === "number" ? String(x.storage) : shortName(x);
}

const typeName = ({ shape, dtype }: TensorType | Value) => `${dtype} ${formatShape(shape)}`;
const indented = (text: string) => text.replace(/^/gm, "  ");

/** Attributes on one line, and the graphs among them, each after its name. */
function formatAttributes(attributes: unknown): { text: string; graphs: string[] } {
  const graphs: string[] = [];
  const object = (x: object, path: string): string => {
    const parts = Object.entries(x).flatMap(([key, entry]) => {
      const name = path === "" ? key : `${path}.${key}`;
      if (entry instanceof Graph) graphs.push(`${name} = ${entry}`);
      return entry === undefined || entry instanceof Graph ? [] : [`${key}: ${format(entry, name)}`];
    });
    return `{${parts.join(", ")}}`;
  };
  const format = (x: unknown, path: string): string => {
    if (x instanceof TensorType) return typeName(x);
    if (Array.isArray(x)) return `[${x.map((entry, i) => format(entry, `${path}[${i}]`)).join(", ")}]`;
    if (typeof x !== "object" || x === null) return String(x);
    return ArrayBuffer.isView(x) ? x.constructor.name : object(x, path);
  };
  return { text: attributes === null ? "" : ` ${format(attributes, "")}`, graphs };
}
