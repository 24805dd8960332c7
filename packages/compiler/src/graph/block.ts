/** Blocks: graphs as steps, the program's own and those of its branches and loops. */

import type { DType, Graph } from "@adjoint/core";
import { type AnyOperation, isFloat, stridesOf } from "@adjoint/core/operations";
import { combined, counted, flattened, sameAffine } from "../kernels/affine.ts";
import type { Buffer, Counter } from "../kernels/language.ts";
import type { Storage } from "../program.ts";
import { planChoice, planPasses, planScan } from "./control.ts";
import { type Flow, type FlowNode, flowOf } from "./flow.ts";
import type { Group } from "./groups.ts";
import { kernelOf } from "./lower.ts";
import type { Reader, Readers } from "./readers.ts";
import { rolled } from "./roll.ts";
import { Schedule } from "./schedule.ts";
import type { Located, Operand, Product, Step } from "./steps.ts";

/** The buffers of constants, and what they hold. */
export type Constants = Map<Buffer, Storage>;

/** What a block is made of. */
export interface BlockParts {
  readonly graph: Graph;
  /** Where each input is; null for one that gets a buffer of its own if anybody reads it. */
  readonly inputs: readonly (Buffer | null)[];
  /** Inputs that get a buffer whether anybody reads them or not. */
  readonly held: readonly boolean[];
  /** For each output, the input that it replaces when all is done, or null. */
  readonly replaces: readonly (number | null)[];
  readonly constants: Constants;
  /** Makes a new buffer. */
  buffer(dtype: DType, size: number): Buffer;
}

/** A graph as steps. */
export interface Block {
  readonly steps: readonly Step[];
  readonly inputs: readonly (Buffer | null)[];
  /** Where each output is when all is done; for one that replaces an input, that input's buffer. */
  readonly outputs: readonly Buffer[];
}

/** Plans a graph. */
export function planBlock(parts: BlockParts): Block {
  return new Planner(parts, rolled(flowOf(parts.graph))).plan();
}

class Planner {
  readonly #parts: BlockParts;
  readonly #flow: Flow;
  readonly #schedule: Schedule;
  /** By a node's id, 1 where it is in memory after its step: outputs, and what other steps read. */
  readonly #kept: Uint8Array;
  /** By a node's id. */
  readonly #buffers: (Buffer | undefined)[];
  /** Nodes that are written over an input that they replace, and the input. */
  readonly #inPlace = new Map<FlowNode, FlowNode>();

  constructor(parts: BlockParts, flow: Flow) {
    this.#parts = parts;
    this.#flow = flow;
    this.#schedule = new Schedule(flow);
    this.#buffers = new Array<Buffer | undefined>(flow.count);
    this.#kept = new Uint8Array(flow.count);
    const readers = this.#schedule.repeat(flow, this.#schedule.sink(flow));
    const isElsewhere = (reader: Reader, home: number) =>
      typeof reader === "number" || reader.group.at !== home;
    for (const node of flow.nodes) {
      const home = this.#schedule.homeOf(node);
      if (readers.some(node, (reader) => isElsewhere(reader, home))) this.#kept[node.id] = 1;
    }
    for (const output of flow.outputs) this.#kept[this.#schedule.memoryOf(output).id] = 1;
    flow.inputs.forEach((input, i) => {
      const buffer = parts.inputs[i];
      if (buffer) this.#buffers[input.id] = buffer;
    });
    this.#placeReplacements(readers);
  }

  plan(): Block {
    const { inputs, outputs, nodes } = this.#flow;
    const steps = this.#schedule.steps.flatMap((step): readonly Step[] =>
      step.kind === "group" ? this.#kernel(step) : this.#routine(step.node),
    );
    inputs.forEach((input, i) => {
      if (this.#parts.held[i]) this.#bufferOf(input);
    });
    const ends = this.#ends(outputs);
    for (const node of nodes) {
      const buffer = this.#buffers[node.id];
      if (node.storage !== null && buffer !== undefined) this.#parts.constants.set(buffer, node.storage);
    }
    return {
      steps: [...steps, ...ends.steps],
      inputs: inputs.map((input) => this.#buffers[input.id] ?? null),
      outputs: ends.outputs,
    };
  }

  /** Copies to the inputs that outputs replace; what these overwrite and is wanted otherwise is copied before. */
  #ends(outputs: readonly FlowNode[]): { steps: Step[]; outputs: Buffer[] } {
    const { replaces, buffer } = this.#parts;
    const inputOf = (i: number) => {
      const input = replaces[i];
      return input === null || input === undefined
        ? null
        : this.#bufferOf(this.#flow.inputs[input] as FlowNode);
    };
    const replaced = new Set(outputs.map((_, i) => inputOf(i)).filter((x) => x !== null));
    const saved = new Map<Buffer, Buffer>();
    const saves: Step[] = [];
    const moves: Step[] = [];
    const found = outputs.map((output, i) => {
      const to = inputOf(i);
      let from = this.#bufferOf(this.#schedule.memoryOf(output));
      if (from === to) return from;
      // A node that was written in place is where it belongs; an input that is replaced is about to change.
      const changes = replaced.has(from) && !this.#inPlace.has(this.#schedule.memoryOf(output));
      if (changes) {
        const copy = saved.get(from) ?? buffer(from.dtype, from.size);
        if (!saved.has(from)) saves.push({ kind: "copy", from, to: copy });
        saved.set(from, copy);
        from = copy;
      }
      if (to !== null) moves.push({ kind: "copy", from, to });
      return to ?? from;
    });
    return { steps: [...saves, ...moves], outputs: found };
  }

  #bufferOf(node: FlowNode): Buffer {
    const input = this.#inPlace.get(node);
    if (input !== undefined) return this.#bufferOf(input);
    let buffer = this.#buffers[node.id];
    if (buffer === undefined) {
      buffer = this.#parts.buffer(node.type.dtype, node.type.size);
      this.#buffers[node.id] = buffer;
    }
    return buffer;
  }

  #kernel(group: Group): readonly Step[] {
    const kernel = kernelOf(group, this.#schedule, {
      of: (node) => this.#bufferOf(node),
      isKept: (node) => this.#kept[node.id] === 1,
      isInPlace: (node) => this.#inPlace.has(node),
    });
    return kernel === null ? [] : [{ kind: "kernel", kernel, parts: 1 }];
  }

  #routine(node: FlowNode): readonly Step[] {
    const { op, attributes, inputs, lowering, type } = node;
    const located = inputs.map((input) => ({
      buffer: this.#bufferOf(this.#schedule.memoryOf(input)),
      type: input.type,
    }));
    const output = { buffer: this.#bufferOf(node), type };
    const buffers = located.map(({ buffer }) => buffer);
    const context = { constants: this.#parts.constants, buffer: this.#parts.buffer, planBlock };
    if (lowering?.kind === "choice") return planChoice(lowering.attributes, buffers, output, context);
    if (lowering?.kind === "scan") return planScan(lowering.attributes, buffers, output, context);
    if (lowering?.kind === "passes") return planPasses(lowering.attributes, buffers, output, context);
    if (lowering?.kind === "product" && this.#isProduct(node)) return [productOf(lowering, located, output)];
    return [{ kind: "evaluation", op: op as AnyOperation, attributes, inputs: located, output }];
  }

  /** Whether an operation is a matrix product that targets have code for. */
  #isProduct({ lowering, inputs, type }: FlowNode): boolean {
    return (
      lowering?.kind === "product" &&
      isFloat(type.dtype) &&
      inputs.every((input) => input.type.dtype === type.dtype)
    );
  }

  /** Lets outputs be written over the inputs that they replace, where nobody reads these afterwards. */
  #placeReplacements(readers: Readers): void {
    const { inputs, outputs } = this.#flow;
    const { replaces } = this.#parts;
    const schedule = this.#schedule;
    if (replaces.every((input) => input === null)) return;
    const returned = new Set(outputs.map((output) => schedule.memoryOf(output)));
    const evaluated = schedule.steps.reduce(
      (last, step, at) => (step.kind === "routine" && !this.#isProduct(step.node) ? at : last),
      -1,
    );
    replaces.forEach((index, i) => {
      if (index === null) return;
      const input = inputs[index] as FlowNode;
      const next = schedule.memoryOf(outputs[i] as FlowNode);
      if (returned.has(input) || this.#inPlace.has(next) || next.op === null) return;
      const member = schedule.memberOf(next);
      if (member === null) return;
      // What core evaluates may throw. A program's states are replaced after that, so that such a call changes none.
      if (this.#parts.held[index] && member.group.at < evaluated) return;
      const isRead = readers.some(input, (reader) => {
        if (typeof reader === "number") return reader >= member.group.at;
        if (reader.group !== member.group) return reader.group.at > member.group.at;
        return schedule
          .sourcesOf(reader)
          .some(
            (source) =>
              source.kind === "memory" && source.node === input && !sameAffine(source.at, member.at),
          );
      });
      if (!isRead) this.#inPlace.set(next, input);
    });
  }
}

function productOf(
  { transposeA, transposeB }: { readonly transposeA: boolean; readonly transposeB: boolean },
  operands: readonly Located[],
  { buffer, type }: Located,
): Product {
  const [a, b] = operands as [Located, Located];
  const batch = type.shape.slice(0, -2);
  const counters = batch.map((extent, id): Counter => ({ id, extent }));
  const matrix = ({ buffer, type: { shape } }: Located, transposed: boolean): Operand => {
    const leading = shape.slice(0, -2);
    const width = shape.at(-1) as number;
    const size = width * (shape.at(-2) as number);
    const steps = stridesOf(leading).map((step, axis) => (leading[axis] === 1 ? 0 : step * size));
    const at = combined(0, steps, counters.slice(batch.length - leading.length).map(counted));
    return { buffer, at, row: transposed ? 1 : width, column: transposed ? width : 1 };
  };
  const [n, m] = type.shape.slice(-2) as [number, number];
  return {
    kind: "product",
    dtype: type.dtype as Product["dtype"],
    n,
    m,
    k: a.type.shape.at(transposeA ? -2 : -1) as number,
    a: matrix(a, transposeA),
    b: matrix(b, transposeB),
    c: {
      buffer,
      at: combined(0, [n * m], [flattened(counters.map(counted), batch)]),
      row: m,
      column: 1,
    },
    counters: counters.filter(({ extent }) => extent !== 1),
  };
}
