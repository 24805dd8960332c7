/** The recorded graph as a drawing wants it: values in topological order, numbered, and what is written in each. */

import { ArgumentError, isValue, type Value } from "@adjoint/core";
import { checkOptions, type OptionNames } from "@adjoint/core/operations";

/** Options of the drawings of a graph. */
export interface GraphOptions {
  /** The most values that are drawn; by default 500, about what a person can read and Graphviz lays out in seconds. */
  readonly maxNodes?: number;
  /** Which way the graph flows: "LR", from left to right, is the default; "TB" is from top to bottom. */
  readonly direction?: "LR" | "TB";
}

const GRAPH: OptionNames<GraphOptions> = { maxNodes: true, direction: true };

/** What a value is: a leaf with or without a gradient, or the result of an operation. */
export type Role = "parameter" | "constant" | "result";

/** One value of a drawing. */
export interface DrawnValue {
  readonly role: Role;
  /** Whether it is one of the values that were asked for. */
  readonly root: boolean;
  /** Label, data or shape, and gradient: what there is of them. */
  readonly lines: readonly string[];
  /** The operation that made it, and its attributes. */
  readonly operation: readonly string[] | null;
  /** The places, in the drawing, of the values that it was computed from. */
  readonly inputs: readonly number[];
}

/** Up to this many elements a tensor's data is written out. */
const FEW = 4;

/** Up to this many characters an attribute is written out. */
const SHORT = 40;

function formatNumber(x: number): string {
  return String(Number.isInteger(x) && Math.abs(x) < 1e6 ? x : Number(x.toPrecision(4)));
}

/** The data of a value, or null while a function is captured and only shapes are known. */
function dataOf(x: Value): ArrayLike<number> | null {
  try {
    return x.data;
  } catch (error) {
    if (error instanceof ArgumentError) return null;
    throw error;
  }
}

/** The numbers of a value, or null where they are unknown or too many to write out. */
function numbersOf(x: Value): string | null {
  const data = x.rank > 1 || x.size > FEW ? null : dataOf(x);
  if (data === null) return null;
  const numbers = Array.from(data, formatNumber);
  return x.rank === 0 ? String(numbers[0]) : `[${numbers.join(", ")}]`;
}

function linesOf(x: Value): string[] {
  const lines = x.label === null ? [] : [x.label];
  const numbers = numbersOf(x);
  const shape = `[${x.shape.join(", ")}]`;
  lines.push(numbers === null ? `${shape} ${x.dtype}` : `data ${numbers}`);
  if (x.grad !== null) lines.push(`grad ${numbersOf(x.grad) ?? shape}`);
  return lines;
}

/** An operation's name, and those of its attributes that are short. */
function operationLines({ operation, attributes }: Value): string[] | null {
  if (operation === null) return null;
  const lines = [operation.name];
  if (typeof attributes === "object" && attributes !== null && !Array.isArray(attributes)) {
    for (const [name, attribute] of Object.entries(attributes)) {
      if (attribute === null || attribute === undefined || attribute === false) continue;
      const plain = ["number", "boolean", "string"].includes(typeof attribute);
      if (!plain && !(Array.isArray(attribute) && attribute.every((x) => typeof x === "number"))) continue;
      const text = Array.isArray(attribute) ? `[${attribute.join(", ")}]` : String(attribute);
      if (text.length <= SHORT) lines.push(`${name} ${text}`);
    }
  }
  return lines;
}

/** All values that the roots came from, each after its inputs. The walk keeps its own stack: graphs may be deep. */
function topological(roots: readonly Value[]): Value[] {
  const order: Value[] = [];
  const entered = new Set<Value>();
  for (const root of roots) {
    if (entered.has(root)) continue;
    entered.add(root);
    const path: { x: Value; inputs: readonly Value[]; next: number }[] = [
      { x: root, inputs: root.inputs, next: 0 },
    ];
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const input = top.inputs[top.next++];
      if (input === undefined) {
        order.push(top.x);
        path.pop();
      } else if (!entered.has(input)) {
        entered.add(input);
        path.push({ x: input, inputs: input.inputs, next: 0 });
      }
    }
  }
  return order;
}

/** What a drawing shows of the graph of some values. */
export function drawn(where: string, root: Value | readonly Value[], options: GraphOptions): DrawnValue[] {
  const { maxNodes = 500 } = checkOptions(where, options, GRAPH);
  const roots = isValue(root) ? [root] : root;
  if (!Array.isArray(roots) || roots.length === 0 || !roots.every(isValue)) {
    throw new ArgumentError({ where, expected: "root must be a value or an array of values" });
  }
  const order = topological(roots);
  if (order.length > maxNodes) {
    throw new ArgumentError({
      where,
      expected: `a drawing must have at most ${maxNodes} values`,
      received: String(order.length),
      advice: "Draw a smaller part, for example one layer or a smaller example, or raise maxNodes.",
    });
  }
  const place = new Map(order.map((x, i) => [x, i]));
  return order.map((x) => ({
    role: x.isParameter ? "parameter" : x.operation === null ? "constant" : "result",
    root: roots.includes(x),
    lines: linesOf(x),
    operation: operationLines(x),
    inputs: x.inputs.map((input) => place.get(input) as number),
  }));
}
