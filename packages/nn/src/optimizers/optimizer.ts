/** Optimizer: what all update rules share — parameters, learning rate, state by name. */

import { ArgumentError, add, isValue, lerp, mul, noGrad, parameter, type Value, value } from "@adjoint/core";
import { formatShape } from "@adjoint/core/operations";
import { nonNegative } from "../ranges.ts";
import { checkState, restore, snapshot } from "../state.ts";

/** Options of every optimiser. */
export interface OptimizerOptions {
  /** How far a step goes; ≥ 0. Each optimiser has its own default. */
  readonly learningRate?: number;
  /** λ of the term λθ that is added to each gradient (L2 regularisation); ≥ 0. By default 0. */
  readonly weightDecay?: number;
}

/** What a subclass tells its base. */
interface OptimizerParts {
  /** The public name, for errors. */
  readonly name: string;
  readonly learningRate: number;
  readonly weightDecay?: number | undefined;
}

/** Where a step leaves its memory of a parameter. */
export type Slot = (x: Value) => Value;

/**
 * The base of all optimisers. A subclass states `update`, the new data of a parameter from its gradient, and keeps
 * its memory in slots.
 *
 * All state, the learning rate included, is in values that are assigned to, so that it can be saved and compiled.
 * Throws: ArgumentError for no parameters, duplicates, or values that are not parameters.
 *
 * @example
 * class SignDescent extends Optimizer {
 *   constructor(parameters: Iterable<Value>, learningRate: number) {
 *     super(parameters, { name: "SignDescent", learningRate });
 *   }
 *   protected override update(x: Value, gradient: Value): Value {
 *     return x.sub(gradient.sign().mul(this.rate));
 *   }
 * }
 * const x = parameter([1, -1]);
 * const optimizer = new SignDescent([x], 0.5);
 * x.square().sum().backward();
 * optimizer.step();
 * x // [0.5, -0.5]
 */
export abstract class Optimizer {
  /** What is optimised, in the order given. */
  readonly parameters: readonly Value[];
  /** The learning rate as a float64 scalar. */
  protected readonly rate: Value;
  readonly #name: string;
  readonly #weightDecay: number;
  readonly #slots = new Map<string, ReadonlyMap<Value, Value>>();
  readonly #steps: Slot;

  constructor(parameters: Iterable<Value>, { name, learningRate, weightDecay = 0 }: OptimizerParts) {
    this.#name = name;
    this.parameters = checkedParameters(name, parameters);
    this.rate = parameter(nonNegative(name, "learningRate", learningRate));
    this.#weightDecay = nonNegative(name, "weightDecay", weightDecay);
    this.#steps = this.slot("step", () => value(0));
  }

  /** How far a step goes; ≥ 0. */
  get learningRate(): number {
    return this.rate.item();
  }

  set learningRate(learningRate: number) {
    this.rate.assign(nonNegative(this.#name, "learningRate", learningRate));
  }

  /**
   * The new data of a parameter. Called without recording.
   *
   * `step` counts this parameter's updates, this one included, as a float64 scalar.
   */
  protected abstract update(x: Value, gradient: Value, step: Value): Value;

  /** Gives every parameter a value of state under a name, at first `initial` of the parameter. */
  protected slot(name: string, initial: (x: Value) => Value): Slot {
    const held = new Map(this.parameters.map((x) => [x, parameter(initial(x))]));
    this.#slots.set(name, held);
    return (x) => held.get(x) as Value;
  }

  /** Updates every parameter that has a gradient; the others are left alone. */
  step(): void {
    noGrad(() => {
      for (const x of this.parameters) {
        if (x.grad === null) continue;
        const gradient = this.#weightDecay === 0 ? x.grad : add(x.grad, mul(x, this.#weightDecay));
        const steps = this.#steps(x);
        x.assign(this.update(x, gradient, steps.assign(add(steps, 1))));
      }
    });
  }

  /** Clears the gradients of all parameters. */
  zeroGrad(): void {
    for (const x of this.parameters) x.grad = null;
  }

  /**
   * Copies of the state: `learningRate`, and under `0.step`, `0.firstMoment` and so on what is kept of each parameter,
   * by its place. With the same options and the parameters' own data, training goes on as if it had not stopped.
   */
  stateDict(): Record<string, Value> {
    return snapshot(this.#state());
  }

  /**
   * Puts a state back: nothing is changed unless all of it fits.
   *
   * Throws: ArgumentError for missing or unexpected names or a learning rate below 0, ShapeError for another shape.
   */
  loadStateDict(state: Readonly<Record<string, Value>>): void {
    const where = `${this.#name}.loadStateDict`;
    const entries = this.#state();
    checkState(where, entries, state, true);
    nonNegative(where, "learningRate", (state["learningRate"] as Value).item());
    restore(entries, state);
  }

  #state(): Map<string, Value> {
    const entries = new Map([["learningRate", this.rate]]);
    this.parameters.forEach((x, i) => {
      for (const [name, held] of this.#slots) entries.set(`${i}.${name}`, held.get(x) as Value);
    });
    return entries;
  }
}

/** average ← decay·average + (1 − decay)·x, in one pass. */
export function moveAverage(average: Value, decay: number, x: Value): Value {
  return average.assign(lerp(average, x, 1 - decay));
}

function checkedParameters(where: string, parameters: Iterable<Value>): Value[] {
  const advice = "Pass model.parameters().";
  if (typeof parameters !== "object" || parameters === null || !(Symbol.iterator in parameters)) {
    throw new ArgumentError({
      where,
      expected: "parameters must be a list of parameters",
      received: isValue(parameters) ? "one value" : typeof parameters,
      advice,
    });
  }
  const list = [...parameters];
  if (list.length === 0) {
    throw new ArgumentError({
      where,
      expected: "parameters must hold at least one parameter",
      received: "none",
      advice,
    });
  }
  const places = new Map<Value, number>();
  list.forEach((x, i) => {
    if (!isValue(x) || !x.isParameter) {
      throw new ArgumentError({
        where,
        expected: "parameters must all be made by parameter()",
        received: `${isValue(x) ? `a value of shape ${formatShape(x.shape)}` : typeof x} at place ${i}`,
        advice,
      });
    }
    const before = places.get(x);
    if (before !== undefined) {
      throw new ArgumentError({
        where,
        expected: "parameters must be distinct",
        received: `the same one at places ${before} and ${i}`,
      });
    }
    places.set(x, i);
  });
  return list;
}
