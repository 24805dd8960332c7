/** Module: parts of a network that hold parameters and other modules. */

import { ArgumentError, isValue, type Value } from "@adjoint/core";
import { checkOptions, formatShape, type OptionNames } from "@adjoint/core/operations";
import { checkState, restore, snapshot } from "./state.ts";

/** Options of `loadStateDict`. */
export interface LoadOptions {
  /** Whether every name must be there and no other. By default true. */
  readonly strict?: boolean;
}

const LOAD: OptionNames<LoadOptions> = { strict: true };

const NODE_INSPECT: unique symbol = Symbol.for("nodejs.util.inspect.custom");
const DENO_INSPECT: unique symbol = Symbol.for("Deno.customInspect");

/** A parameter or module and its name within the module that holds it. */
type Member = readonly [name: string, member: Value | Module];

/**
 * A part of a network: a function with parameters.
 *
 * A subclass keeps parameters and modules in its own public properties, alone or in arrays, plain objects and maps of
 * any depth, and states `forward`. A parameter's name is the path to it, for example `layers.0.weight`; a parameter
 * or module that is reached twice counts once, under its first name.
 *
 * @example
 * class Scale extends Module {
 *   readonly factor = parameter(2, { label: "factor" });
 *   override forward(x: Value): Value {
 *     return x.mul(this.factor);
 *   }
 * }
 * const scale = new Scale();
 * scale.forward(value([1, 2])) // [2, 4]
 * Array.from(scale.namedParameters().keys()) // ["factor"]
 */
export abstract class Module {
  #training = true;

  /** What the module computes of its input. */
  abstract forward(x: Value): Value;

  /** Whether the module is being trained, for layers that act differently then. At first true. */
  get training(): boolean {
    return this.#training;
  }

  /** The parameters of this module and all below, in the order of declaration, each once. */
  parameters(): Value[] {
    return [...this.namedParameters().values()];
  }

  /** The parameters by name. Throws: ArgumentError where two have the same name. */
  namedParameters(): Map<string, Value> {
    const named = new Map<string, Value>();
    visit(this, "", (name, member) => {
      if (member instanceof Module) return;
      if (named.has(name)) {
        throw new ArgumentError({
          where: "namedParameters",
          expected: "names must be distinct",
          received: `two parameters ${JSON.stringify(name)}`,
          advice: "Rename a key that has a dot in it.",
        });
      }
      named.set(name, member);
    });
    return named;
  }

  /** This module and all below, in the order of declaration, each once. */
  modules(): Module[] {
    const all: Module[] = [];
    visit(this, "", (_, member) => {
      if (member instanceof Module) all.push(member);
    });
    return all;
  }

  /** Copies of everything that the module has learned, by name. */
  stateDict(): Record<string, Value> {
    return snapshot(this.#state());
  }

  /**
   * Puts a state back: nothing is changed unless all of it fits.
   *
   * Numbers are converted to the parameters' dtypes. Throws: ArgumentError for missing or unexpected names unless
   * `strict` is false, ShapeError for another shape.
   */
  loadStateDict(state: Readonly<Record<string, Value>>, options: LoadOptions = {}): void {
    const { strict = true } = checkOptions("loadStateDict", options, LOAD);
    const entries = this.#state();
    checkState("loadStateDict", entries, state, strict);
    restore(entries, state);
  }

  /** What a state holds. Learned numbers that are not parameters, once layers have some, join here. */
  #state(): Map<string, Value> {
    return this.namedParameters();
  }

  /** Switches this module and all below to training, or with false to evaluation. */
  train(on = true): this {
    for (const module of this.modules()) module.#training = on;
    return this;
  }

  /** Switches this module and all below to evaluation. */
  eval(): this {
    return this.train(false);
  }

  /** Clears the gradients of all parameters. */
  zeroGrad(): void {
    for (const x of this.parameters()) x.grad = null;
  }

  /** What the module is, on one line, as printing shows it. */
  protected get description(): string {
    return this.constructor.name;
  }

  /** The module as a tree of modules and parameters. */
  toString(): string {
    const size = this.parameters().reduce((total, x) => total + x.size, 0);
    const lines = [`${this.description}: ${size} parameter${size === 1 ? "" : "s"}`];
    const print = (module: Module, indent: string, above: ReadonlySet<Module>): void => {
      const below = membersOf(module).filter(([, member]) => isValue(member) || !above.has(member));
      below.forEach(([name, member], i) => {
        const last = i === below.length - 1;
        const text = isValue(member) ? `${formatShape(member.shape)} ${member.dtype}` : member.description;
        lines.push(`${indent}${last ? "└" : "├"} ${name}: ${text}`);
        if (!isValue(member)) print(member, `${indent}${last ? " " : "│"} `, new Set([...above, member]));
      });
    };
    print(this, "", new Set([this]));
    return lines.join("\n");
  }

  /** What console.log prints in Node and Bun. @internal */
  [NODE_INSPECT](): string {
    return this.toString();
  }

  /** What console.log prints in Deno. @internal */
  [DENO_INSPECT](): string {
    return this.toString();
  }
}

/** Visits a module, then what it holds, depth first, each once. */
function visit(root: Module, path: string, see: (name: string, member: Value | Module) => void): void {
  const seen = new Set<Value | Module>();
  const enter = (name: string, member: Value | Module): void => {
    if (seen.has(member)) return;
    seen.add(member);
    see(name, member);
    if (isValue(member)) return;
    for (const [key, below] of membersOf(member)) enter(name === "" ? key : `${name}.${key}`, below);
  };
  enter(path, root);
}

/** The parameters and modules in a module's own properties. */
function membersOf(module: Module): Member[] {
  const members: Member[] = [];
  const holders = new Set<object>([module]);
  const search = (held: unknown, name: string): void => {
    if (isValue(held)) {
      if (held.isParameter) members.push([name, held]);
    } else if (held instanceof Module) {
      members.push([name, held]);
    } else {
      const entries = entriesOf(held);
      if (entries === null || holders.has(held as object)) return;
      holders.add(held as object);
      for (const [key, entry] of entries) search(entry, `${name}.${String(key)}`);
      holders.delete(held as object);
    }
  };
  for (const [name, held] of Object.entries(module)) search(held, name);
  return members;
}

/** What arrays, maps and plain objects hold; null for everything else. */
function entriesOf(x: unknown): Iterable<readonly [unknown, unknown]> | null {
  if (Array.isArray(x)) return x.entries();
  if (x instanceof Map) return x.entries();
  if (typeof x !== "object" || x === null) return null;
  const prototype: unknown = Object.getPrototypeOf(x);
  return prototype === Object.prototype || prototype === null ? Object.entries(x) : null;
}
