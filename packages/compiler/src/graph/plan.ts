/** Plan: a program as kernels, products and routines in order, over buffers with lifetimes. */

import { type AnyOperation, stridesOf, type TensorType } from "@adjoint/core/operations";
import { combined, counted, flattened, sameAffine } from "../kernels/affine.ts";
import { type Affine, type Buffer, buffersOf, type Counter, type Kernel } from "../kernels/language.ts";
import type { Lifetime } from "../memory/arena.ts";
import type { Program, Storage } from "../program.ts";
import { type Flow, type FlowNode, flowOf } from "./flow.ts";
import { type Group, operandsOf, Schedule } from "./groups.ts";
import { kernelOf } from "./lower.ts";
import { rolled } from "./roll.ts";

/** Matrix products c = a·b, one for each place of a batch. */
export interface Product {
  readonly kind: "product";
  readonly dtype: "float32" | "float64";
  readonly n: number;
  readonly m: number;
  readonly k: number;
  readonly a: Operand;
  readonly b: Operand;
  readonly c: Operand;
  readonly counters: readonly Counter[];
}

/** A matrix of a batch: where it begins, and how far apart its rows and columns are, in elements. */
export interface Operand {
  readonly buffer: Buffer;
  readonly at: Affine;
  readonly row: number;
  readonly column: number;
}

/** An operation that is evaluated by core. */
export interface Evaluation {
  readonly kind: "evaluation";
  readonly op: AnyOperation;
  readonly attributes: unknown;
  readonly inputs: readonly { readonly buffer: Buffer; readonly type: TensorType }[];
  readonly output: { readonly buffer: Buffer; readonly type: TensorType };
}

export type PlannedStep = { readonly kind: "kernel"; readonly kernel: Kernel } | Product | Evaluation;

/** Everything a target needs to know. */
export interface Plan {
  readonly steps: readonly PlannedStep[];
  /** One a program input; null where nothing reads it. */
  readonly inputs: readonly (Buffer | null)[];
  readonly constants: readonly { readonly buffer: Buffer; readonly data: Storage }[];
  /** One a program output. */
  readonly outputs: readonly Buffer[];
  /** What is copied into states when all else is done. */
  readonly commits: readonly { readonly from: Buffer; readonly to: Buffer }[];
  /** Buffers that are not there from the start to the end, and from which step to which they are needed. */
  readonly lifetimes: readonly Lifetime[];
}

/** Plans a program. */
export function planOf(program: Program): Plan {
  return new Planner(program, rolled(flowOf(program))).plan();
}

class Planner {
  readonly #program: Program;
  readonly #flow: Flow;
  readonly #schedule: Schedule;
  readonly #kept: Set<FlowNode>;
  readonly #buffers = new Map<FlowNode, Buffer>();
  /** Nodes that are written where a state is, and the state. */
  readonly #inPlace = new Map<FlowNode, FlowNode>();
  #count = 0;

  constructor(program: Program, flow: Flow) {
    this.#program = program;
    this.#flow = flow;
    this.#schedule = new Schedule(flow);
    this.#kept = this.#schedule.read();
    for (const output of flow.outputs) this.#kept.add(this.#schedule.memoryOf(output));
    this.#placeUpdates();
  }

  plan(): Plan {
    const { inputs, outputs, nodes } = this.#flow;
    const steps = this.#schedule.steps.flatMap((step) => {
      const planned = step.kind === "group" ? this.#kernel(step) : this.#routine(step.node);
      return planned === null ? [] : [planned];
    });
    // States stay where they are, whether anybody reads them or not.
    const states = new Set(inputs.slice(this.#program.arguments));
    for (const node of inputs) if (states.has(node)) this.#bufferOf(node);
    const outputBuffers = outputs.map((output) => this.#bufferOf(this.#schedule.memoryOf(output)));
    const { results, updates, arguments: first } = this.#program;
    const commits = updates.flatMap((state, i) => {
      const from = outputBuffers[results + i] as Buffer;
      const to = this.#bufferOf(inputs[first + state] as FlowNode);
      return from === to ? [] : [{ from, to }];
    });
    const held = (node: FlowNode) => (this.#buffers.has(node) ? this.#bufferOf(node) : null);
    return {
      steps,
      inputs: inputs.map(held),
      constants: nodes.flatMap((node) => {
        const buffer = node.storage === null ? null : held(node);
        return buffer === null ? [] : [{ buffer, data: node.storage as Storage }];
      }),
      outputs: outputBuffers,
      commits,
      lifetimes: this.#lifetimes(steps, outputBuffers),
    };
  }

  #bufferOf(node: FlowNode): Buffer {
    const state = this.#inPlace.get(node);
    if (state !== undefined) return this.#bufferOf(state);
    let buffer = this.#buffers.get(node);
    if (buffer === undefined) {
      buffer = { id: this.#count++, dtype: node.type.dtype, size: node.type.size };
      this.#buffers.set(node, buffer);
    }
    return buffer;
  }

  #kernel(group: Group): PlannedStep | null {
    const kernel = kernelOf(group, this.#schedule, {
      of: (node) => this.#bufferOf(node),
      isKept: (node) => this.#kept.has(node),
      isInPlace: (node) => this.#inPlace.has(node),
    });
    return kernel === null ? null : { kind: "kernel", kernel };
  }

  #routine(node: FlowNode): PlannedStep {
    const { op, attributes, inputs, lowering, type } = node;
    const located = inputs.map((input) => ({
      buffer: this.#bufferOf(this.#schedule.memoryOf(input)),
      type: input.type,
    }));
    const output = { buffer: this.#bufferOf(node), type };
    const isFloat = type.dtype === "float32" || type.dtype === "float64";
    if (lowering?.kind !== "product" || !isFloat || inputs.some((input) => input.type.dtype !== type.dtype))
      return { kind: "evaluation", op: op as AnyOperation, attributes, inputs: located, output };
    const [a, b] = located as [Located, Located];
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
    const { transposeA, transposeB } = lowering;
    const [n, m] = type.shape.slice(-2) as [number, number];
    const c = output.buffer;
    return {
      kind: "product",
      dtype: type.dtype as Product["dtype"],
      n,
      m,
      k: a.type.shape.at(transposeA ? -2 : -1) as number,
      a: matrix(a, transposeA),
      b: matrix(b, transposeB),
      c: {
        buffer: c,
        at: combined(0, [n * m], [flattened(counters.map(counted), batch)]),
        row: m,
        column: 1,
      },
      counters: counters.filter(({ extent }) => extent !== 1),
    };
  }

  /**
   * Lets the new data of states be written over the old, where nobody reads the old afterwards, or in the same step at
   * another place.
   */
  #placeUpdates(): void {
    const { inputs, outputs } = this.#flow;
    const { results, updates, arguments: first } = this.#program;
    const schedule = this.#schedule;
    if (updates.length === 0) return;
    const returned = new Set(outputs.map((output) => schedule.memoryOf(output)));
    const readers = this.#readersOf(new Set(inputs.slice(first)));
    updates.forEach((index, i) => {
      const state = inputs[first + index] as FlowNode;
      const next = schedule.memoryOf(outputs[results + i] as FlowNode);
      const home = schedule.homeOf(next);
      const step = schedule.steps[home];
      if (returned.has(state) || this.#inPlace.has(next) || next.op === null || step?.kind !== "group")
        return;
      const member = step.memberOf(next);
      if (member === null) return;
      const at = flattened(member.indices, next.type.shape);
      const isFree = (readers.get(state) ?? []).every(
        (reader) =>
          reader.step < home || (reader.step === home && reader.at !== null && sameAffine(reader.at, at)),
      );
      if (isFree) this.#inPlace.set(next, state);
    });
  }

  /** For each state, who reads it: in which step, and at which index; null where all of it is read. */
  #readersOf(
    states: ReadonlySet<FlowNode>,
  ): Map<FlowNode, { readonly step: number; readonly at: Affine | null }[]> {
    const readers = new Map([...states].map((state) => [state, [] as { step: number; at: Affine | null }[]]));
    this.#schedule.steps.forEach((step, i) => {
      const enter = (node: FlowNode, at: Affine | null) => readers.get(node)?.push({ step: i, at });
      if (step.kind === "routine") {
        for (const input of step.node.inputs) enter(this.#schedule.memoryOf(input), null);
        return;
      }
      for (const member of step.members) {
        if (member.node.lowering?.kind === "take") {
          enter(this.#schedule.memoryOf(member.node.inputs[0] as FlowNode), null);
        }
        for (const operand of operandsOf(member)) {
          const source = this.#schedule.source(step, operand);
          if (source.kind === "memory") enter(source.node, source.at);
        }
      }
    });
    return readers;
  }

  #lifetimes(steps: readonly PlannedStep[], outputs: readonly Buffer[]): Lifetime[] {
    const constant = new Set<Buffer>();
    for (const [node, buffer] of this.#buffers) if (node.op === null) constant.add(buffer);
    const spans = new Map<Buffer, { from: number; to: number }>();
    const touch = (buffer: Buffer, at: number) => {
      if (constant.has(buffer)) return;
      const span = spans.get(buffer);
      if (span === undefined) spans.set(buffer, { from: at, to: at });
      else span.to = at;
    };
    steps.forEach((step, at) => {
      if (step.kind === "kernel") {
        const { reads, writes } = buffersOf(step.kernel);
        for (const buffer of [...reads, ...writes]) touch(buffer, at);
      } else if (step.kind === "product") {
        for (const { buffer } of [step.a, step.b, step.c]) touch(buffer, at);
      } else for (const { buffer } of [...step.inputs, step.output]) touch(buffer, at);
    });
    for (const buffer of outputs) touch(buffer, steps.length);
    return [...spans].map(([buffer, span]) => ({ buffer, ...span }));
  }
}

interface Located {
  readonly buffer: Buffer;
  readonly type: TensorType;
}
