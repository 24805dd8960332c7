/** Resident data: parameters, buffers and gradients whose numbers a compiled program keeps between its calls. */

import type { DType, TypedArray } from "./dtype.ts";
import { state } from "./state.ts";
import type { TensorType } from "./tensor-type.ts";
import { constant, type Extra, extraOf, type Value } from "./value.ts";

/** Where numbers are kept. */
export interface Keeper {
  /** A fresh copy of the numbers at a place. */
  read(place: number): number | TypedArray;
}

/** A place for numbers that outlives calls: a parameter's data, or its gradient. */
export interface Cell {
  /** Tells whether the numbers are still those that were read or kept last. */
  readonly version: number;
  /** The numbers now. */
  read(): number | TypedArray;
  /** Says that a keeper has the numbers now, of a type: they are copied out when somebody reads them. */
  keep(keeper: Keeper, place: number, type: TensorType): void;
  /** Copies out what this keeper still has. */
  release(keeper: Keeper): void;
}

/**
 * The data of a parameter or buffer. Its `storage` becomes a property that copies the numbers out when it is read, so
 * that nothing else needs to know where they are.
 */
class DataCell implements Cell {
  readonly #value: Value;
  readonly #extra: Extra;
  #storage: number | TypedArray | null;
  #keeper: Keeper | null = null;
  #place = 0;
  #installed = false;

  constructor(value: Value) {
    this.#value = value;
    this.#extra = extraOf(value);
    this.#storage = null;
  }

  /** Counts assignments, as the value's own version does. */
  get version(): number {
    return this.#extra.version;
  }

  read(): number | TypedArray {
    return this.#value.storage as number | TypedArray;
  }

  keep(keeper: Keeper, place: number): void {
    if (!this.#installed) this.#install();
    this.#storage = null;
    this.#keeper = keeper;
    this.#place = place;
    this.#extra.version++;
    this.#extra.assignedAt = ++state.clock;
    state.assignedAt = this.#extra.assignedAt;
  }

  release(keeper: Keeper): void {
    if (this.#keeper === keeper) this.#copyOut();
  }

  #copyOut(): number | TypedArray | null {
    if (this.#keeper !== null) {
      this.#storage = this.#keeper.read(this.#place);
      this.#keeper = null;
    }
    return this.#storage;
  }

  #install(): void {
    this.#installed = true;
    Object.defineProperty(this.#value, "storage", {
      get: () => this.#copyOut(),
      set: (storage: number | TypedArray) => {
        this.#keeper = null;
        this.#storage = storage;
      },
      enumerable: true,
      configurable: true,
    });
  }
}

/** The gradient of a parameter, or that there is none. */
export class GradientCell implements Cell {
  #held: Value | null;
  #type: TensorType | null;
  #keeper: Keeper | null = null;
  #place = 0;
  #version = 0;

  constructor(parameter: Value) {
    const extra = extraOf(parameter);
    this.#held = extra.grad;
    this.#type = this.#held?.type ?? null;
    Object.defineProperty(extra, "grad", {
      get: () => this.value,
      set: (grad: Value | null) => this.set(grad),
      enumerable: true,
      configurable: true,
    });
  }

  get version(): number {
    return this.#version;
  }

  /** The gradient's dtype; null where there is none. */
  get dtype(): DType | null {
    return this.#type === null ? null : this.#type.dtype;
  }

  /** The gradient: the same value until another one replaces it. */
  get value(): Value | null {
    if (this.#keeper !== null) {
      this.#held = constant(this.#type as TensorType, this.#keeper.read(this.#place));
      this.#keeper = null;
    }
    return this.#held;
  }

  set(grad: Value | null): void {
    this.#held = grad;
    this.#type = grad === null ? null : grad.type;
    this.#keeper = null;
    this.#version++;
  }

  read(): number | TypedArray {
    return this.value?.storage as number | TypedArray;
  }

  keep(keeper: Keeper, place: number, type: TensorType): void {
    this.#held = null;
    this.#type = type;
    this.#keeper = keeper;
    this.#place = place;
    this.#version++;
  }

  release(keeper: Keeper): void {
    if (this.#keeper === keeper) this.value;
  }
}

const data = new WeakMap<Value, DataCell>();
const gradients = new WeakMap<Value, GradientCell>();

/** The one cell of a parameter's or buffer's data. */
export function dataCell(x: Value): Cell {
  let cell = data.get(x);
  if (cell === undefined) {
    cell = new DataCell(x);
    data.set(x, cell);
  }
  return cell;
}

/** The one cell of a parameter's gradient. */
export function gradientCell(x: Value): GradientCell {
  let cell = gradients.get(x);
  if (cell === undefined) {
    cell = new GradientCell(x);
    gradients.set(x, cell);
  }
  return cell;
}
