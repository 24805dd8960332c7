/** Dataset: examples in typed arrays, cut into batches of values. */

import {
  ArgumentError,
  isValue,
  type NestedNumbers,
  type Shape,
  ShapeError,
  type Value,
  value,
} from "@adjoint/core";
import { checkOptions, describe, formatShape, type OptionNames, sizeOf } from "@adjoint/core/operations";
import type { Encoding } from "./encoding.ts";
import { checkIndices, checkOrder, type Indices, sliceBounds, splitSize } from "./indices.ts";

/** How examples are stored. */
export type ExampleData = Float32Array | Int32Array | Uint8Array;

/**
 * Examples one after the other, row-major. Float32Array is read as float32, Int32Array as int32; Uint8Array is
 * multiplied by `scale` and read as float32, batch by batch, so that images stay one byte a pixel.
 */
export interface Examples {
  /** The elements of all examples. */
  readonly data: ExampleData;
  /** Shape of one example; `[]` where each is a number. */
  readonly shape: Shape;
  /** What bytes are multiplied by; 1 when left out. */
  readonly scale?: number;
}

/**
 * What a dataset is made of: prepared examples, a value or nested numbers whose first axis counts the examples (read
 * as float32 unless the value is int32), or a typed array with a number an example.
 */
export type ExampleSource = Examples | Value | readonly NestedNumbers[] | ExampleData | Float64Array;

/** What standardized targets were before, a number a target: target = standardized·deviation + mean. Plain JSON. */
export interface TargetUnits {
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

/** Parts of a dataset. */
export interface DatasetParts {
  readonly inputs: ExampleSource;
  /** Class indices as an Int32Array, or numbers to regress to. */
  readonly targets: ExampleSource;
  /** The names of the classes that int32 targets count, in order. */
  readonly classes?: readonly string[];
  /** How the columns of a table became inputs and targets. */
  readonly encoding?: Encoding;
  /** The units of targets that were standardized. */
  readonly targetUnits?: TargetUnits;
}

/** Some examples as values. */
export interface Batch {
  /** Shape [examples, ...inputs.shape]. */
  readonly inputs: Value;
  /** Shape [examples, ...targets.shape]. */
  readonly targets: Value;
  /** Which rows of the dataset these are. */
  readonly indices: Int32Array;
}

/** Options of `batches`. */
export interface BatchOptions {
  /** Examples a batch; by default all of them. */
  readonly batchSize?: number;
  /** A permutation of the rows; by default they come as they stand. */
  readonly order?: Indices;
  /** Leave out a last batch that is smaller than the others. */
  readonly dropLast?: boolean;
}

const BATCHES: OptionNames<BatchOptions> = { batchSize: true, order: true, dropLast: true };

/** Below this many elements an example, a plain loop copies faster than `set`. */
const SHORT = 32;

function sourceOf(part: string, source: ExampleSource): Examples {
  if (isValue(source) || Array.isArray(source)) {
    const x = isValue(source) ? source : value(source as readonly NestedNumbers[], { dtype: "float32" });
    if (x.rank === 0) {
      throw new ShapeError({
        where: "Dataset",
        expected: `${part} must have a first axis that counts the examples`,
        received: "a scalar",
      });
    }
    const { data } = x;
    const kept = data instanceof Int32Array || data instanceof Float32Array ? data : Float32Array.from(data);
    return { data: kept, shape: x.shape.slice(1) };
  }
  if (ArrayBuffer.isView(source)) {
    return { data: source instanceof Float64Array ? Float32Array.from(source) : source, shape: [] };
  }
  const { data, shape } = source as Examples;
  if (!(data instanceof Float32Array || data instanceof Int32Array || data instanceof Uint8Array)) {
    throw new ArgumentError({
      where: "Dataset",
      expected: `${part} must be stored in a Float32Array, Int32Array or Uint8Array`,
      received: describe(data),
    });
  }
  const stride = sizeOf(shape);
  if (stride === 0 || data.length % stride !== 0) {
    throw new ShapeError({
      where: "Dataset",
      expected: `${part} must hold whole examples of shape ${formatShape(shape)}`,
      received: `${data.length} elements`,
    });
  }
  return source as Examples;
}

function rowsOf({ data, shape }: Examples): number {
  return data.length / sizeOf(shape);
}

/** Copies rows of `from` one after the other into `into`, multiplied by `scale` where that is not 1. */
function copyRows(
  from: ExampleData,
  into: ExampleData,
  rows: ArrayLike<number>,
  stride: number,
  scale: number,
): void {
  if (scale !== 1 || stride < SHORT) {
    for (let k = 0; k < rows.length; k++) {
      const start = (rows[k] as number) * stride;
      const at = k * stride;
      for (let j = 0; j < stride; j++) into[at + j] = (from[start + j] as number) * scale;
    }
  } else {
    for (let k = 0; k < rows.length; k++) {
      const start = (rows[k] as number) * stride;
      into.set(from.subarray(start, start + stride), k * stride);
    }
  }
}

function gatherExamples(examples: Examples, rows: ArrayLike<number>): Examples {
  const stride = sizeOf(examples.shape);
  const Constructor = examples.data.constructor as new (size: number) => ExampleData;
  const data = new Constructor(rows.length * stride);
  copyRows(examples.data, data, rows, stride, 1);
  return { ...examples, data };
}

function sliceExamples(examples: Examples, start: number, end: number): Examples {
  const stride = sizeOf(examples.shape);
  return { ...examples, data: examples.data.subarray(start * stride, end * stride) };
}

function valueOf({ data, shape, scale = 1 }: Examples, rows: ArrayLike<number>): Value {
  const stride = sizeOf(shape);
  const size = rows.length * stride;
  const elements = data instanceof Int32Array ? new Int32Array(size) : new Float32Array(size);
  copyRows(data, elements, rows, stride, data instanceof Uint8Array ? scale : 1);
  return value(elements, { shape: [rows.length, ...shape] });
}

/** Mean and population deviation of each number of an example. */
function unitsOf({ data, shape, scale = 1 }: Examples): TargetUnits {
  const stride = sizeOf(shape);
  const n = data.length / stride;
  const sums = new Float64Array(stride);
  data.forEach((x, i) => {
    sums[i % stride] = (sums[i % stride] as number) + x * scale;
  });
  const mean = Array.from(sums, (sum) => sum / n);
  const squares = new Float64Array(stride);
  data.forEach((x, i) => {
    const difference = x * scale - (mean[i % stride] as number);
    squares[i % stride] = (squares[i % stride] as number) + difference ** 2;
  });
  const deviation = Array.from(squares, (sum, j) => {
    const size = Math.sqrt(sum / n);
    // The deviation of equal targets is only the rounding of their mean, a float32's.
    return size > Math.abs(mean[j] as number) * 2 ** -23 ? size : 1;
  });
  return { mean, deviation };
}

const NODE_INSPECT: unique symbol = Symbol.for("nodejs.util.inspect.custom");

/**
 * Examples for supervised learning: inputs and targets, row by row.
 *
 * Nothing is shuffled behind the caller's back: `split` and `batches` take the order as a permutation.
 * Throws: ArgumentError or ShapeError where inputs and targets do not count the same examples.
 *
 * @example
 * const xor = new Dataset({ inputs: [[0, 0], [0, 1], [1, 0], [1, 1]], targets: Int32Array.of(0, 1, 1, 0) });
 * xor.size // 4
 * xor.batch([2, 3]).inputs // [[1, 0], [1, 1]]
 */
export class Dataset {
  readonly inputs: Examples;
  readonly targets: Examples;
  /** Number of examples. */
  readonly size: number;
  /** Names of the classes; `null` where none were given, as for regression. */
  readonly classes: readonly string[] | null;
  /** How the columns of a table became these numbers; `null` where there was no table. */
  readonly encoding: Encoding | null;
  /** What standardized targets were before; `null` where they are as they came. */
  readonly targetUnits: TargetUnits | null;

  constructor(parts: DatasetParts) {
    this.inputs = sourceOf("inputs", parts.inputs);
    this.targets = sourceOf("targets", parts.targets);
    this.size = rowsOf(this.inputs);
    this.classes = parts.classes ?? null;
    this.encoding = parts.encoding ?? null;
    this.targetUnits = parts.targetUnits ?? null;
    const targets = rowsOf(this.targets);
    if (targets !== this.size) {
      throw new ShapeError({
        where: "Dataset",
        expected: "inputs and targets must have as many examples as each other",
        received: `${this.size} and ${targets}`,
      });
    }
  }

  /** How many examples there are and what each is, as console.log shows it in Node. */
  toString(): string {
    const named = this.classes === null ? "" : `, ${this.classes.length} classes`;
    const [inputs, targets] = [this.inputs, this.targets].map(
      ({ data, shape }) => `${formatShape(shape)}, ${data.constructor.name}`,
    );
    return `Dataset: ${this.size} ${this.size === 1 ? "example" : "examples"}\n  inputs: ${inputs}\n  targets: ${targets}${named}`;
  }

  /** What console.log prints in Node. @internal */
  [NODE_INSPECT](): string {
    return this.toString();
  }

  #with(inputs: Examples, targets: Examples, targetUnits = this.targetUnits): Dataset {
    const { classes, encoding } = this;
    return new Dataset({
      inputs,
      targets,
      ...(classes === null ? {} : { classes }),
      ...(encoding === null ? {} : { encoding }),
      ...(targetUnits === null ? {} : { targetUnits }),
    });
  }

  /**
   * The examples from `start` up to, but without, `end`; they share this dataset's memory.
   *
   * Bounds count as those of `Array.prototype.slice`.
   */
  slice(start: number, end: number = this.size): Dataset {
    const [from, to] = sliceBounds("slice", start, end, this.size);
    return this.#with(sliceExamples(this.inputs, from, to), sliceExamples(this.targets, from, to));
  }

  /**
   * The examples of the given rows, copied, in that order; a row may come several times.
   *
   * Throws: ArgumentError for a row that is not there.
   */
  gather(indices: Indices): Dataset {
    const rows = checkIndices("gather", indices, this.size);
    return this.#with(gatherExamples(this.inputs, rows), gatherExamples(this.targets, rows));
  }

  /**
   * Two datasets: the first `fraction` of the examples, and the rest. Neither is empty.
   *
   * With `order`, a permutation of the rows, they are copied in that order; without it they stand as they are and
   * share memory.
   * Throws: ArgumentError for a fraction outside (0, 1), or an order that is no permutation.
   *
   * @example
   * const data = new Dataset({ inputs: [[1], [2], [3], [4]], targets: [1, 2, 3, 4] });
   * const [training, validation] = data.split(0.75, [3, 1, 0, 2]);
   * training.batch().targets // [4, 2, 1]
   * validation.batch().targets // [3]
   */
  split(fraction: number, order?: Indices): [Dataset, Dataset] {
    const n = splitSize("split", fraction, this.size);
    if (order === undefined) return [this.slice(0, n), this.slice(n)];
    const rows = Array.from(checkOrder("split", order, this.size));
    return [this.gather(rows.slice(0, n)), this.gather(rows.slice(n))];
  }

  /**
   * The same examples with inputs of another shape, for example [1, 28, 28] for a convolution; memory is shared.
   *
   * Throws: ShapeError for another number of elements.
   */
  reshapeInputs(shape: Shape): Dataset {
    if (sizeOf(shape) !== sizeOf(this.inputs.shape)) {
      throw new ShapeError({
        where: "reshapeInputs",
        expected: `one input has ${sizeOf(this.inputs.shape)} elements`,
        received: `shape ${formatShape(shape)}`,
      });
    }
    return this.#with({ ...this.inputs, shape }, this.targets);
  }

  /**
   * The same examples with targets of mean 0 and standard deviation 1, number by number, which networks learn better
   * than large or tiny ones. Equal targets become 0.
   *
   * What was measured is the dataset's `targetUnits`: give it for other rows, so that they are told in the same units,
   * and multiply predictions by `deviation` and add `mean` to have them in the first ones.
   * Throws: ArgumentError for classes, targets that are standardized already, or units of other targets.
   *
   * @example
   * const data = new Dataset({ inputs: [[1], [2], [3], [4]], targets: [100, 300, 500, 900] });
   * const [training, validation] = data.split(0.5);
   * const standard = training.standardizeTargets();
   * standard.batch().targets // [-1, 1]
   * standard.targetUnits // { mean: [200], deviation: [100] }
   * if (standard.targetUnits) validation.standardizeTargets(standard.targetUnits).batch().targets.toArray() // [3, 7]
   */
  standardizeTargets(units: TargetUnits = unitsOf(this.targets)): Dataset {
    const { data, shape, scale = 1 } = this.targets;
    const stride = sizeOf(shape);
    const refuse = (expected: string, received: string, advice?: string): never => {
      throw new ArgumentError({
        where: "standardizeTargets",
        expected,
        received,
        ...(advice === undefined ? {} : { advice }),
      });
    };
    if (data instanceof Int32Array) refuse("targets must be numbers to regress to", "class indices (int32)");
    if (this.targetUnits !== null) {
      refuse("targets must be in the units they came in", "standardized ones", "Standardize once.");
    }
    const { mean, deviation } = units;
    if (mean.length !== stride || deviation.length !== stride) {
      refuse(`units must have ${stride} means and deviations`, `${mean.length} and ${deviation.length}`);
    }
    const targets = Float32Array.from(
      data,
      (x, i) => (x * scale - (mean[i % stride] as number)) / (deviation[i % stride] as number),
    );
    return this.#with(this.inputs, { data: targets, shape }, units);
  }

  /**
   * The given rows, or all of them, as one batch of values.
   *
   * Throws: ArgumentError for a row that is not there.
   */
  batch(indices?: Indices): Batch {
    return this.#batch(indices === undefined ? this.#inOrder() : checkIndices("batch", indices, this.size));
  }

  #batch(rows: ArrayLike<number>): Batch {
    return {
      inputs: valueOf(this.inputs, rows),
      targets: valueOf(this.targets, rows),
      indices: Int32Array.from(rows),
    };
  }

  #inOrder(): Int32Array {
    return Int32Array.from({ length: this.size }, (_, i) => i);
  }

  /**
   * Goes over the examples once, `batchSize` at a time; the last batch is smaller where they do not come out even.
   *
   * Throws: ArgumentError for a batch size that is not a whole number ≥ 1, or an order that is no permutation.
   *
   * @example
   * const data = new Dataset({ inputs: [[1], [2], [3]], targets: [10, 20, 30] });
   * const sizes = [...data.batches({ batchSize: 2, order: [2, 0, 1] })].map((batch) => batch.targets.toArray());
   * sizes // [[30, 10], [20]]
   */
  batches(options: BatchOptions = {}): IterableIterator<Batch> {
    const { batchSize = Math.max(1, this.size), dropLast = false } = checkOptions(
      "batches",
      options,
      BATCHES,
    );
    if (!Number.isInteger(batchSize) || batchSize < 1) {
      throw new ArgumentError({
        where: "batches",
        expected: "batchSize must be a whole number ≥ 1",
        received: describe(batchSize),
      });
    }
    const order =
      options.order === undefined
        ? this.#inOrder()
        : Int32Array.from(checkOrder("batches", options.order, this.size));
    return this.#walk(order, batchSize, dropLast);
  }

  *#walk(order: Int32Array, batchSize: number, dropLast: boolean): IterableIterator<Batch> {
    const end = dropLast ? this.size - (this.size % batchSize) : this.size;
    for (let start = 0; start < end; start += batchSize) {
      yield this.#batch(order.subarray(start, Math.min(start + batchSize, end)));
    }
  }
}
