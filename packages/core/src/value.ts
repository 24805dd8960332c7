/** Value: a scalar or tensor, and the operation and inputs that it came from. */

import {
  allocate,
  checkDType,
  convert,
  type DType,
  dtypeOf,
  isFloat,
  roundTo,
  type TypedArray,
} from "./dtype.ts";
import { ArgumentError, DTypeError, describe, ShapeError } from "./errors.ts";
import type { AnyOperation } from "./op.ts";
import { checkOptions, type OptionNames } from "./options.ts";
import { checkShape, formatShape, type Shape, sameShape, sizeOf, stridesOf } from "./shape.ts";
import { current, state } from "./state.ts";
import { type TensorType, tensorType } from "./tensor-type.ts";

/** Nested arrays of numbers, of any depth. */
export type NestedNumbers = number | readonly NestedNumbers[];

/** What `value` makes a tensor of: a number or boolean, nested arrays of them, or a typed array. */
export type Data = number | boolean | readonly Data[] | ArrayBufferView;

/** What an operation accepts where it wants a value: a value, or the data of a constant. */
export type Operand = Value | Data;

/** Options of `value` and `parameter`. */
export interface ValueOptions {
  /** Number type; by default a typed array's own, bool for booleans, otherwise float64. */
  readonly dtype?: DType;
  /** Shape of flat data; by default that of the nesting. */
  readonly shape?: Shape;
  /** A name for printing, graphs and errors. */
  readonly label?: string;
  /**
   * Whether a typed array is copied: by default it is. One that is not becomes the value's own where it has its dtype
   * (int32, float32 or float64), and must not be written to again: megabytes take longer to copy than to compute with.
   */
  readonly copy?: boolean;
}

const VALUE: OptionNames<ValueOptions> = { dtype: true, shape: true, label: true, copy: true };

/** What few values have: kept apart so that a scalar node stays small. */
export class Extra {
  /** All inputs, where there are more than two. */
  inputs: readonly Value[] | null = null;
  attributes: unknown = null;
  label: string | null = null;
  /** Whether backward collects a gradient here. */
  parameter = false;
  /** Whether assign replaces the data. */
  assignable = false;
  /** The same value computed by the operations that its own consists of, where it was captured. */
  body: Value | null = null;
  /** Whether this was captured inside noGrad. */
  constant = false;
  grad: Value | null = null;
  version = 0;
  /** The clock at the last assignment. */
  assignedAt = 0;
}

const NO_INPUTS: readonly Value[] = [];

/**
 * A node of the graph: a scalar or tensor, and where it came from. Make one with `value` or `parameter`.
 *
 * Data is immutable; only a parameter's can be replaced, by `assign`.
 */
export class Value {
  /** @internal */ type: TensorType;
  /** A scalar's number, a tensor's array, or null while only the type is known. @internal */
  storage: number | TypedArray | null;
  /** @internal */ readonly op: AnyOperation | null;
  /** First and second input; null where there is none or nothing was recorded. @internal */
  readonly a: Value | null;
  /** @internal */ readonly b: Value | null;
  /** Whether cotangents flow here. @internal */ readonly tracked: boolean;
  /** Position in the order of the sweep at work. @internal */ mark: number;
  /** The clock when this node was made. @internal */ epoch: number;
  /** @internal */ extra: Extra | null;

  /** @internal */
  constructor(
    type: TensorType,
    storage: number | TypedArray | null,
    op: AnyOperation | null,
    a: Value | null,
    b: Value | null,
    tracked: boolean,
  ) {
    this.type = type;
    this.storage = storage;
    this.op = op;
    this.a = a;
    this.b = b;
    this.tracked = tracked;
    this.mark = 0;
    this.epoch = state.clock;
    this.extra = null;
  }

  /** Sizes of the axes; `[]` for a scalar. */
  get shape(): Shape {
    return this.type.shape;
  }

  /** Number of axes. */
  get rank(): number {
    return this.type.shape.length;
  }

  /** Number of elements. */
  get size(): number {
    return this.type.size;
  }

  /** Number type. */
  get dtype(): DType {
    return this.type.dtype;
  }

  /** A name for printing, graphs and errors; `null` where none was given. */
  get label(): string | null {
    return this.extra === null ? null : this.extra.label;
  }

  set label(label: string | null) {
    extraOf(this).label = label;
  }

  /** The record of the operation that made this value; `null` for constants and parameters. */
  get operation(): AnyOperation | null {
    return this.op;
  }

  /** The values this one was computed from; empty where nothing was recorded. */
  get inputs(): readonly Value[] {
    if (this.extra !== null && this.extra.inputs !== null) return this.extra.inputs;
    if (this.a === null) return NO_INPUTS;
    return this.b === null ? [this.a] : [this.a, this.b];
  }

  /** Options of the operation that made this value, for example the axes of a sum; `null` where it has none. */
  get attributes(): unknown {
    return this.extra === null ? null : this.extra.attributes;
  }

  /** Whether derivatives flow to or through this value. */
  get isDifferentiable(): boolean {
    return this.tracked;
  }

  /** Whether this value was made by `parameter`. */
  get isParameter(): boolean {
    return this.extra?.parameter ?? false;
  }

  /** What `backward` has added up for this parameter; `null` where nothing flowed. */
  get grad(): Value | null {
    if (this.extra === null) return null;
    return state.tracer !== null && this.extra.parameter ? state.tracer.readGrad(this) : this.extra.grad;
  }

  set grad(grad: Value | null) {
    if (!this.isParameter) {
      throw new ArgumentError({
        where: "grad",
        expected: "only a parameter collects a gradient",
        received: shortName(this),
        advice: "Make it with parameter(), or use grad(f) for derivatives of intermediate values.",
      });
    }
    if (grad !== null && !sameShape(grad.shape, this.shape)) {
      throw new ShapeError({
        where: "grad",
        expected: `a gradient must have its parameter's shape ${formatShape(this.shape)}`,
        received: formatShape(grad.shape),
      });
    }
    if (state.tracer !== null) state.tracer.writeGrad(this, grad);
    else extraOf(this).grad = grad;
  }

  /** Whether `assign` replaces this value's data: it was made by `parameter` or `buffer`. */
  get isAssignable(): boolean {
    return this.extra?.assignable ?? false;
  }

  /** How often this parameter's or buffer's data was replaced. */
  get version(): number {
    return this.extra === null ? 0 : this.extra.version;
  }

  /**
   * The elements, flat and row-major. A tensor's array is not a copy: do not write to it.
   */
  get data(): TypedArray {
    const storage = known(this, "data");
    if (typeof storage !== "number") return storage;
    const array = allocate(this.dtype, 1);
    array[0] = storage;
    return array;
  }

  /**
   * The number of a value with one element.
   *
   * Throws: ShapeError when there are more or none.
   */
  item(): number {
    const storage = known(this, "item");
    if (typeof storage === "number") return storage;
    if (storage.length === 1) return storage[0] as number;
    throw new ShapeError({
      where: "item",
      expected: "the value must have one element",
      received: `shape ${formatShape(this.shape)}`,
      advice: "Use toArray() or data.",
    });
  }

  /** The elements as nested arrays; a scalar is its number. bool reads as 0 and 1. */
  toArray(): NestedNumbers {
    const storage = known(this, "toArray");
    if (typeof storage === "number") return storage;
    const { shape } = this;
    const strides = stridesOf(shape);
    const nest = (axis: number, start: number): NestedNumbers => {
      const n = shape[axis] as number;
      if (axis === shape.length - 1) return Array.from(storage.subarray(start, start + n));
      return Array.from({ length: n }, (_, i) => nest(axis + 1, start + i * (strides[axis] as number)));
    };
    return nest(0, 0);
  }

  /**
   * Replaces the data of a parameter or buffer and counts a version. A backward pass that would read the replaced data
   * throws instead of using the new one.
   *
   * Shape and dtype stay; a source of another dtype is converted.
   * Throws: ArgumentError for other values than parameters and buffers, ShapeError for another shape.
   */
  assign(next: Operand): this {
    if (!this.isAssignable) {
      throw new ArgumentError({
        where: "assign",
        expected: "only a parameter's data can be replaced",
        received: shortName(this),
        advice: "Make it with parameter().",
      });
    }
    const source = next instanceof Value ? next : value(next, { dtype: this.dtype });
    if (!sameShape(source.shape, this.shape)) {
      throw new ShapeError({
        where: "assign",
        expected: `new data must have the parameter's shape ${formatShape(this.shape)}`,
        received: formatShape(source.shape),
      });
    }
    if (state.tracer !== null) {
      state.tracer.assign(this, source);
      return this;
    }
    const storage = known(source, "assign");
    if (typeof storage === "number") this.storage = roundTo(this.dtype, storage);
    else this.storage = source.dtype === this.dtype ? storage : convert(storage, this.dtype);
    const extra = extraOf(this);
    extra.version++;
    extra.assignedAt = ++state.clock;
    state.assignedAt = extra.assignedAt;
    return this;
  }
}

/** The data of a value, or an error where only its type is known. */
function known(x: Value, where: string): number | TypedArray {
  const { storage } = current(x);
  if (storage !== null) return storage;
  throw new ArgumentError({
    where,
    expected: "data that is known",
    received: `${shortName(x)}, which is being captured and has only a type`,
    advice: "Express the choice with where(), or compute the number outside.",
  });
}

/** The data of a value as it is stored, a scalar's number or a tensor's array; null where only its type is known. */
export function storageOf(x: Value): number | TypedArray | null {
  return x.storage;
}

/** Whether a value was made before a time. */
export function isOlder(x: Value, floor: number): boolean {
  return x.epoch < floor;
}

/** Whether a captured node has a derivative where its inputs have: not where it was made inside noGrad. */
export function isDerivable(node: Value): boolean {
  return (
    (node.op as AnyOperation | null)?.differentiable === true && isFloat(node.dtype) && !node.extra?.constant
  );
}

/** The type of a value. */
export function typeOf(x: Value): TensorType {
  return x.type;
}

/** A value in an error message: its label or operation, and its shape. */
export function shortName(x: Value): string {
  const { label } = x;
  if (label !== null) return `${JSON.stringify(label)} ${formatShape(x.shape)}`;
  if (x.storage === null && x.op === null && !x.isParameter)
    return `an argument of a captured function, of shape ${formatShape(x.shape)}`;
  const kind = x.isParameter
    ? "a parameter"
    : x.isAssignable
      ? "a buffer"
      : x.op === null
        ? "a constant"
        : `a result of ${x.op.name}`;
  return `${kind} of shape ${formatShape(x.shape)}`;
}

/** The rare fields of a value, made when first written. */
export function extraOf(x: Value): Extra {
  if (x.extra === null) x.extra = new Extra();
  return x.extra;
}

/** Whether `x` is a Value. */
export function isValue(x: unknown): x is Value {
  return x instanceof Value;
}

/** A constant of known type: nothing is checked or copied. */
export function constant(type: TensorType, storage: number | TypedArray): Value {
  return new Value(type, storage, null, null, null, false);
}

/**
 * A constant from a number, nested arrays, or a typed array with `shape`.
 *
 * Numbers and nested arrays are float64, booleans bool; a typed array keeps its type. Data is copied, unless `copy` is false.
 * Throws: ShapeError for ragged nesting, or data that does not fill `shape`; DTypeError for an unknown dtype.
 *
 * @example
 * value([[1, 2], [3, 4]]).shape // [2, 2]
 */
export function value(data: Data, options: ValueOptions = {}): Value {
  const { type, storage } = read("value", data, checkOptions("value", options, VALUE));
  const x = constant(type, storage);
  if (options.label !== undefined) x.label = options.label;
  return x;
}

/**
 * A leaf that collects a gradient in `.grad` and whose data `assign` replaces.
 *
 * Throws: as `value`, and DTypeError for a dtype that carries no derivatives.
 *
 * @example
 * const w = parameter([1, 2], { label: "w" });
 * backward(sum(mul(w, w)));
 * w.grad // [2, 4]
 */
export function parameter(data: Data | Value, options: ValueOptions = {}): Value {
  checkOptions("parameter", options, VALUE);
  const source = data instanceof Value ? data.data : data;
  const shape = data instanceof Value ? { shape: data.shape } : {};
  const { type, storage } = read("parameter", source, { ...shape, ...options });
  if (type.dtype !== "float64" && type.dtype !== "float32") {
    throw new DTypeError({
      where: "parameter",
      expected: "dtype must be float64 or float32",
      received: type.dtype,
      advice: "Only floating-point values have derivatives.",
    });
  }
  return leaf(type, storage, true, options.label);
}

/**
 * A leaf whose data `assign` replaces and that collects no gradient: a counter, a running average.
 *
 * dtype: any. Throws: as `value`.
 *
 * @example
 * const count = buffer(0, { dtype: "int32" });
 * count.assign(add(count, 1)) // 1
 */
export function buffer(data: Data | Value, options: ValueOptions = {}): Value {
  checkOptions("buffer", options, VALUE);
  const source = data instanceof Value ? data.data : data;
  const like = data instanceof Value ? { shape: data.shape, dtype: data.dtype } : {};
  const { type, storage } = read("buffer", source, { ...like, ...options });
  return leaf(type, storage, false, options.label);
}

/** A leaf with data that can be replaced. */
function leaf(
  type: TensorType,
  storage: number | TypedArray,
  isParameter: boolean,
  label: string | undefined,
): Value {
  const x = new Value(type, storage, null, null, null, isParameter);
  const extra = extraOf(x);
  extra.parameter = isParameter;
  extra.assignable = true;
  extra.label = label ?? null;
  return x;
}

/** Reads data from a user into storage. */
function read(
  where: string,
  data: Data,
  options: ValueOptions,
): { type: TensorType; storage: number | TypedArray } {
  const given = options.dtype === undefined ? undefined : checkDType(where, options.dtype);
  if ((typeof data === "number" || typeof data === "boolean") && options.shape === undefined) {
    const dtype = given ?? (typeof data === "boolean" ? "bool" : "float64");
    return { type: tensorType([], dtype), storage: roundTo(dtype, Number(data)) };
  }
  const flat = ArrayBuffer.isView(data) ? readView(where, data) : readNested(where, data);
  const dtype = given ?? flat.dtype;
  const shape = options.shape === undefined ? flat.shape : [...checkShape(where, options.shape)];
  if (sizeOf(shape) !== flat.elements.length) {
    throw new ShapeError({
      where,
      expected: `shape ${formatShape(shape)} holds ${sizeOf(shape)} elements`,
      received: String(flat.elements.length),
    });
  }
  const type = tensorType(shape, dtype);
  if (shape.length === 0) return { type, storage: roundTo(dtype, Number(flat.elements[0])) };
  if (options.copy === false && ArrayBuffer.isView(data) && dtypeOf(data) === dtype)
    return { type, storage: data as TypedArray };
  const storage = allocate(dtype, type.size);
  if (dtype === "bool") for (let i = 0; i < storage.length; i++) storage[i] = flat.elements[i] === 0 ? 0 : 1;
  else storage.set(flat.elements as ArrayLike<number>);
  return { type, storage };
}

interface Flat {
  readonly elements: ArrayLike<number>;
  readonly shape: Shape;
  readonly dtype: DType;
}

function readView(where: string, view: ArrayBufferView): Flat {
  const elements = view as unknown as ArrayLike<number>;
  if (view instanceof DataView || typeof elements[0] === "bigint") {
    throw new DTypeError({
      where,
      expected: "a typed array of numbers",
      received: view.constructor.name,
      advice: "Convert it, for example with Float64Array.from(data, Number).",
    });
  }
  // Unsigned 32-bit integers do not fit int32; every smaller integer type does.
  const dtype = dtypeOf(view) ?? (view instanceof Uint32Array ? "float64" : "int32");
  return { elements, shape: [elements.length], dtype };
}

function readNested(where: string, data: Data): Flat {
  const shape: number[] = [];
  for (let level: unknown = data; Array.isArray(level); level = level[0]) shape.push(level.length);
  const elements: number[] = [];
  let booleans = 0;
  const visit = (x: unknown, depth: number): void => {
    if (depth < shape.length) {
      if (!Array.isArray(x) || x.length !== shape[depth]) {
        throw new ShapeError({
          where,
          expected: `nested arrays must be rectangular, here ${shape[depth]} entries at depth ${depth}`,
          received: Array.isArray(x) ? String(x.length) : describe(x),
        });
      }
      for (const entry of x) visit(entry, depth + 1);
    } else if (typeof x === "number" || typeof x === "boolean") {
      if (typeof x === "boolean") booleans++;
      elements.push(Number(x));
    } else {
      throw new ArgumentError({
        where,
        expected: "data must be numbers, booleans, nested arrays of them, or a typed array",
        received: x instanceof Value ? "a Value inside an array" : describe(x),
        ...(x instanceof Value ? { advice: "Join values with stack() or concat()." } : {}),
      });
    }
  };
  visit(data, 0);
  return { elements, shape, dtype: booleans > 0 && booleans === elements.length ? "bool" : "float64" };
}
