/** Table: named columns of numbers or categories. */

import { ArgumentError, ShapeError, type Value } from "@adjoint/core";
import type { Dataset } from "./dataset.ts";
import { type Encoding, encodeInputs, encodeTable, type FeatureOptions, fitEncoding } from "./encoding.ts";
import { checkIndices, checkOrder, type Indices, sliceBounds, splitSize } from "./indices.ts";
import { findColumn } from "./names.ts";

/** A column of numbers; a missing one is NaN. */
export interface NumericColumn {
  readonly kind: "numeric";
  readonly name: string;
  readonly data: Float64Array;
}

/** A column of texts, each stored as its place among the distinct ones; a missing text is the category "". */
export interface CategoricalColumn {
  readonly kind: "categorical";
  readonly name: string;
  /** For each row an index into `categories`. */
  readonly codes: Int32Array;
  /** The distinct texts, sorted by code unit. */
  readonly categories: readonly string[];
}

/** A column of a table. */
export type Column = NumericColumn | CategoricalColumn;

const lengthOf = (column: Column) => (column.kind === "numeric" ? column.data : column.codes).length;

const NODE_INSPECT: unique symbol = Symbol.for("nodejs.util.inspect.custom");

/**
 * Named columns of equal length. `parseCsv` makes one.
 *
 * Throws: ShapeError for columns of different lengths, ArgumentError for two columns of one name.
 */
export class Table {
  readonly columns: readonly Column[];
  /** Number of rows. */
  readonly size: number;
  /** For each row the line of the text that it came from, counted from 1; without a text, its number from 1. */
  readonly lines: Int32Array;

  constructor(columns: readonly Column[], lines?: Int32Array) {
    this.columns = columns;
    const [first] = columns;
    this.size = first === undefined ? 0 : lengthOf(first);
    this.lines = lines ?? Int32Array.from({ length: this.size }, (_, i) => i + 1);
    const names = new Set<string>();
    for (const column of columns) {
      if (lengthOf(column) !== this.size) {
        throw new ShapeError({
          where: "Table",
          expected: `column ${JSON.stringify(column.name)} must have ${this.size} rows, as the first one`,
          received: String(lengthOf(column)),
        });
      }
      if (names.has(column.name)) {
        throw new ArgumentError({
          where: "Table",
          expected: "columns must have different names",
          received: `${JSON.stringify(column.name)} twice`,
        });
      }
      names.add(column.name);
    }
  }

  /** A line for the table and one for each column, as console.log shows them in Node. */
  toString(): string {
    const lines = this.columns.map((column) => {
      const categories = column.kind === "categorical" ? `, ${column.categories.length} categories` : "";
      return `  ${column.name}: ${column.kind}${categories}`;
    });
    return [`Table: ${this.size} ${this.size === 1 ? "row" : "rows"}`, ...lines].join("\n");
  }

  /** What console.log prints in Node. @internal */
  [NODE_INSPECT](): string {
    return this.toString();
  }

  /** The columns' names, in order. */
  get names(): string[] {
    return this.columns.map(({ name }) => name);
  }

  /**
   * The column of that name.
   *
   * Throws: ArgumentError that lists the columns where there is none.
   *
   * @example
   * const table = parseCsv("height,color\n1.5,red\n2,blue\n");
   * table.column("height").kind // "numeric"
   * table.column("colour") // throws column must be one of "height", "color", got "colour". Did you mean "color"?
   */
  column(name: string): Column {
    return findColumn("column", this.columns, name);
  }

  /**
   * The given rows, copied, in that order. A categorical column keeps all its categories.
   *
   * Throws: ArgumentError for a row that is not there.
   */
  gather(indices: Indices): Table {
    const rows = checkIndices("gather", indices, this.size);
    const take = <T extends Float64Array | Int32Array>(from: T): T => {
      const into = new (from.constructor as new (size: number) => T)(rows.length);
      for (let k = 0; k < rows.length; k++) into[k] = from[rows[k] as number] as number;
      return into;
    };
    const columns = this.columns.map(
      (column): Column =>
        column.kind === "numeric"
          ? { ...column, data: take(column.data) }
          : { ...column, codes: take(column.codes) },
    );
    return new Table(columns, take(this.lines));
  }

  /** The rows from `start` up to, but without, `end`. Bounds count as those of `Array.prototype.slice`. */
  slice(start: number, end: number = this.size): Table {
    const [from, to] = sliceBounds("slice", start, end, this.size);
    const columns = this.columns.map(
      (column): Column =>
        column.kind === "numeric"
          ? { ...column, data: column.data.subarray(from, to) }
          : { ...column, codes: column.codes.subarray(from, to) },
    );
    return new Table(columns, this.lines.subarray(from, to));
  }

  /**
   * Two tables: the first `fraction` of the rows, and the rest, after bringing them into `order` (a permutation).
   * Neither is empty. Split the table before `features`, so that the statistics come from the training part alone:
   *
   * Throws: ArgumentError for a fraction outside (0, 1), or an order that is no permutation.
   *
   * @example
   * const table = parseCsv("x,y\n1,0.1\n3,0.3\n5,0.5\n7,0.7\n");
   * const [training, validation] = table.split(0.5);
   * const data = training.features({ target: "y" });
   * data.batch().inputs // [[-1], [1]]
   * if (data.encoding !== null) validation.encode(data.encoding).batch().inputs.toArray() // [[3], [5]]
   */
  split(fraction: number, order?: Indices): [Table, Table] {
    const n = splitSize("split", fraction, this.size);
    if (order === undefined) return [this.slice(0, n), this.slice(n)];
    const rows = Array.from(checkOrder("split", order, this.size));
    return [this.gather(rows.slice(0, n)), this.gather(rows.slice(n))];
  }

  /**
   * A dataset whose targets are one column and whose inputs are the others.
   *
   * Inputs: a numeric column becomes one feature, standardized to mean 0 and standard deviation 1 (over this table's
   * rows, population formula; a constant column becomes 0); a categorical column becomes one feature a category, 1
   * where the row has it and 0 elsewhere. What was measured is the dataset's `encoding`, plain JSON: save it, and give
   * it to `encode` for other rows.
   *
   * Targets: for classification, class indices, int32 of shape []; for regression, the number itself, float32 of shape
   * [1]. Unless `task` says which, text is classification, and numbers are classification where all are whole, at most
   * 20 are distinct, and each comes up twice on average; other numbers are regression.
   *
   * Throws: ArgumentError for a column that is not there, a missing number (unless `missing` is "mean"), a missing
   * target, or a text column with more than `maxCategories` categories.
   *
   * @example
   * const table = parseCsv("height,color,kind\n1,red,a\n3,blue,b\n1,red,b\n3,red,a\n");
   * const data = table.features({ target: "kind" });
   * data.batch().inputs // [[-1, 0, 1], [1, 1, 0], [-1, 0, 1], [1, 0, 1]]
   * data.batch().targets // [0, 1, 1, 0]
   * data.classes // ["a", "b"]
   */
  features(options: FeatureOptions): Dataset {
    return encodeTable("features", this, fitEncoding(this, options));
  }

  /**
   * A dataset of these rows by an encoding that was made from others, so that the statistics and categories are theirs.
   *
   * Throws: ArgumentError for a column or category that the encoding does not know, or a missing number or target.
   */
  encode(encoding: Encoding): Dataset {
    return encodeTable("encode", this, encoding);
  }

  /**
   * Only the inputs, for rows whose target is not known yet: float32 of shape [rows, features].
   *
   * Throws: as `encode`.
   */
  encodeInputs(encoding: Encoding): Value {
    return encodeInputs(this, encoding);
  }
}
