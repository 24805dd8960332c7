/** Variant: a function compiled for one signature. */

import { GraphError, type Value } from "@adjoint/core";
import {
  constant,
  isRecording,
  storageOf,
  type TensorType,
  tensorType,
  typeOf,
} from "@adjoint/core/operations";
import { Recorder } from "./operation.ts";
import type { Storage, Target } from "./program.ts";
import { Resident } from "./resident.ts";
import { formatPattern, type Leaf, matches, type Pattern } from "./signature.ts";
import type { Source, Traced } from "./tracing.ts";

const NUMBER = tensorType([], "float64");

/** A function compiled for arguments of one signature. */
export class Variant {
  readonly #patterns: readonly Pattern[];
  readonly #traced: Traced;
  readonly #target: Target;
  readonly #resident: Resident;
  readonly #types: readonly TensorType[];
  readonly #reuseResults: boolean;
  /** The arguments that are results as well, where results are reused. */
  readonly #returned: readonly number[];
  /** Made when a result is first recorded. */
  #recorder: Recorder | null = null;

  constructor(patterns: readonly Pattern[], traced: Traced, target: Target, reuseResults = false) {
    this.#patterns = patterns;
    this.#traced = traced;
    this.#target = target;
    this.#reuseResults = reuseResults;
    this.#returned = reuseResults
      ? traced.sources.flatMap((source) => (source.kind === "argument" ? [source.index] : []))
      : [];
    const own = reuseResults ? reusingResults(target) : target;
    this.#resident = new Resident(own, traced.program, traced.cells, traced.kept);
    this.#types = traced.program.graph.outputs.slice(0, traced.program.results).map(typeOf);
  }

  /** Whether this is the function at these arguments, now; puts their values and numbers into `leaves`. */
  fits(args: readonly unknown[], leaves: Leaf[]): boolean {
    const patterns = this.#patterns;
    if (args.length !== patterns.length) return false;
    for (let i = 0; i < patterns.length; i++) {
      if (!matches(patterns[i] as Pattern, args[i], leaves)) return false;
    }
    const { guards } = this.#traced;
    for (let i = 0; i < guards.length; i++) {
      const { cell, dtype } = guards[i] as Traced["guards"][number];
      if (cell.dtype !== dtype) return false;
    }
    return true;
  }

  /** Whether the function is one that recording must be on for: it would throw inside noGrad. */
  get differentiates(): boolean {
    return this.#traced.differentiates;
  }

  /** Whether it changes parameters or buffers, and leaves no gradients. */
  get assigns(): boolean {
    return this.#traced.effects && !this.#traced.differentiates;
  }

  /** One call with the values and numbers of its arguments. */
  run(leaves: readonly Leaf[]): unknown {
    const { sources, settled, rebuild } = this.#traced;
    const args: Storage[] = [];
    let tracked = false;
    for (let i = 0; i < leaves.length; i++) {
      const leaf = leaves[i] as Leaf;
      if (typeof leaf === "number") args.push(leaf);
      else {
        args.push(storageOf(leaf) as Storage);
        if (leaf.isDifferentiable) tracked = true;
      }
    }
    if (tracked && this.#traced.differentiates) refuseTracked();
    const passed = this.#returned.length > 0 ? this.#passed(leaves) : null;
    const results = this.#resident.run(args);
    for (let i = 0; i < settled.length; i++) {
      const { cell, value } = settled[i] as Traced["settled"][number];
      if (value !== null || cell.dtype !== null) cell.set(value);
    }
    const recorded = this.#records(tracked) ? this.#record(leaves, results) : null;
    const values: Value[] = [];
    for (let i = 0; i < sources.length; i++) {
      const source = sources[i] as Source;
      if (source.kind === "argument")
        values.push(passed?.get(source.index) ?? asValue(leaves[source.index] as Leaf));
      else if (source.kind === "value") values.push(source.value);
      else if (recorded !== null) values.push(recorded[source.index] as Value);
      else {
        values.push(constant(this.#types[source.index] as TensorType, results[source.index] as Storage));
      }
    }
    return rebuild(values);
  }

  /** Arguments that are results as well, as they are before a run that may write over them: results of the one before. */
  #passed(leaves: readonly Leaf[]): ReadonlyMap<number, Value> {
    const passed = new Map<number, Value>();
    for (const index of this.#returned) {
      const leaf = leaves[index] as Leaf;
      if (typeof leaf === "number" || leaf.isDifferentiable) continue;
      const data = storageOf(leaf) as Storage;
      passed.set(index, constant(typeOf(leaf), typeof data === "number" ? data : data.slice()));
    }
    return passed;
  }

  /** What the program became, for people. */
  explain(): string {
    return `(${this.#patterns.map(formatPattern).join(", ")})\n${this.#resident.explain()}`;
  }

  dispose(): void {
    this.#resident.dispose();
  }

  /** Whether results may have to be recorded. A function that changes something gives constants. */
  #records(tracked: boolean): boolean {
    const { effects, states, fixed } = this.#traced;
    return !effects && (tracked || states.length + fixed.length > 0) && isRecording();
  }

  #record(leaves: readonly Leaf[], results: readonly Storage[]): readonly Value[] {
    this.#recorder ??= new Recorder(this.#traced.graph, this.#traced, this.#target);
    // What is recorded may be read by a sweep later.
    const lasting = this.#reuseResults
      ? results.map((x) => (typeof x === "number" ? x : x.slice()))
      : results;
    return this.#recorder.record(leaves.map(asValue), lasting);
  }
}

/** A target that is asked to write results over those of the run before. */
function reusingResults(target: Target): Target {
  return {
    name: target.name,
    prepare: (program, options) => target.prepare(program, { ...options, reuseResults: true }),
  };
}

function asValue(leaf: Leaf): Value {
  return typeof leaf === "number" ? constant(NUMBER, leaf) : leaf;
}

function refuseTracked(): never {
  throw new GraphError({
    where: "compile",
    expected: "arguments of a function that calls backward() must be constants",
    received: "a differentiable value, to which no gradient would flow",
    advice: "Pass stopGradient(x), or compute x inside.",
  });
}
