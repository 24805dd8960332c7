/** Encoding: how the columns of a table become inputs and targets, and its statistics. */

import { ArgumentError, type Value, value } from "@adjoint/core";
import { checkOptions, describe, type OptionNames } from "@adjoint/core/operations";
import { Dataset, type Examples } from "./dataset.ts";
import { findColumn } from "./names.ts";
import type { Column, Table } from "./table.ts";

/** What is learnt: one of several classes, or a number. */
export type Task = "classification" | "regression";

/** What is done about a missing number: an error, or the training rows' mean in its place. */
export type Missing = "error" | "mean";

/** How one column becomes features. */
export type ColumnEncoding =
  | { readonly kind: "numeric"; readonly name: string; readonly mean: number; readonly deviation: number }
  | { readonly kind: "categorical"; readonly name: string; readonly categories: readonly string[] };

/** How the target column becomes targets. */
export type TargetEncoding =
  | { readonly task: "regression"; readonly name: string }
  | { readonly task: "classification"; readonly name: string; readonly classes: readonly string[] };

/** How a table becomes a dataset. Plain JSON: it can be saved beside the weights. */
export interface Encoding {
  readonly columns: readonly ColumnEncoding[];
  readonly target: TargetEncoding;
  readonly missing: Missing;
}

/** Options of `features`. */
export interface FeatureOptions {
  /** The column to predict. */
  readonly target: string;
  /** The columns to predict it from; by default all others. */
  readonly columns?: readonly string[];
  /** What is learnt; by default what the target column looks like. */
  readonly task?: Task;
  /** What is done about a missing number; by default an error. */
  readonly missing?: Missing;
  /** A text column with more categories than this is an error, since it is hardly a category; by default 100. */
  readonly maxCategories?: number;
}

const FEATURES: OptionNames<FeatureOptions> = {
  target: true,
  columns: true,
  task: true,
  missing: true,
  maxCategories: true,
};

/** Whole numbers are classes where no more than this many are distinct. */
const MOST_CLASSES = 20;

const quote = (text: string) => JSON.stringify(text);

function isClassLike(data: Float64Array): boolean {
  const distinct = new Set<number>();
  for (const x of data) {
    if (!Number.isInteger(x)) return false;
    distinct.add(x);
    if (distinct.size > MOST_CLASSES) return false;
  }
  return 2 * distinct.size <= data.length;
}

/** A column's cells as texts. */
function texts(column: Column): string[] {
  if (column.kind === "numeric") return Array.from(column.data, (x) => (Number.isNaN(x) ? "" : String(x)));
  return Array.from(column.codes, (code) => column.categories[code] as string);
}

function checkPresent(where: string, table: Table, column: Column, advice: string): void {
  const cells = column.kind === "numeric" ? column.data : column.codes;
  for (let i = 0; i < cells.length; i++) {
    const missing =
      column.kind === "numeric"
        ? Number.isNaN(cells[i])
        : (column.categories[cells[i] as number] as string) === "";
    if (missing) {
      throw new ArgumentError({
        where,
        expected: `column ${quote(column.name)} must have a value in every row`,
        received: `a missing cell on line ${table.lines[i]}`,
        advice,
      });
    }
  }
}

const TARGET_ADVICE = "Leave the row out: nothing can be learnt from it.";

function fitTarget(table: Table, { target: name, task }: FeatureOptions): TargetEncoding {
  const column = findColumn("features", table.columns, name);
  if (task !== undefined && task !== "regression" && task !== "classification") {
    throw new ArgumentError({
      where: "features",
      expected: 'task must be "classification" or "regression"',
      received: describe(task),
    });
  }
  checkPresent("features", table, column, TARGET_ADVICE);
  if (column.kind === "categorical") {
    if (task === "regression") {
      throw new ArgumentError({
        where: "features",
        expected: `the target of a regression must be numeric, and column ${quote(name)} is text`,
        received: quote(column.categories[column.codes[0] as number] as string),
      });
    }
    return { task: "classification", name, classes: column.categories };
  }
  if (task === "regression" || (task === undefined && !isClassLike(column.data)))
    return { task: "regression", name };
  const classes = [...new Set(column.data)].sort((a, b) => a - b).map(String);
  return { task: "classification", name, classes };
}

function fitColumn(table: Table, column: Column, missing: Missing, maxCategories: number): ColumnEncoding {
  const { name } = column;
  if (column.kind === "categorical") {
    const { categories } = column;
    if (categories.length > maxCategories) {
      throw new ArgumentError({
        where: "features",
        expected: `text column ${quote(name)} must have at most ${maxCategories} categories`,
        received: `${categories.length}, for example ${categories.slice(0, 3).map(quote).join(", ")}`,
        advice: "Leave it out with columns, or raise maxCategories.",
      });
    }
    return { kind: "categorical", name, categories };
  }
  if (missing === "error") {
    checkPresent("features", table, column, 'Fill it, leave the row out, or pass missing: "mean".');
  }
  let count = 0;
  let sum = 0;
  for (const x of column.data) {
    if (!Number.isNaN(x)) {
      sum += x;
      count++;
    }
  }
  const mean = count === 0 ? 0 : sum / count;
  let squares = 0;
  for (const x of column.data) if (!Number.isNaN(x)) squares += (x - mean) ** 2;
  const deviation = Math.sqrt(squares / Math.max(1, count));
  // A constant column's deviation is only the rounding of its mean; dividing by that would make noise a feature.
  const constant = deviation <= Math.abs(mean) * Number.EPSILON * Math.sqrt(Math.max(1, count));
  return { kind: "numeric", name, mean, deviation: constant ? 1 : deviation };
}

/** Measures the encoding of a table's columns. */
export function fitEncoding(table: Table, options: FeatureOptions): Encoding {
  const { missing = "error", maxCategories = 100 } = checkOptions("features", options, FEATURES);
  if (missing !== "error" && missing !== "mean") {
    throw new ArgumentError({
      where: "features",
      expected: 'missing must be "error" or "mean"',
      received: describe(missing),
    });
  }
  if (table.size === 0) {
    throw new ArgumentError({
      where: "features",
      expected: "a table must have at least one row",
      received: "0",
    });
  }
  const target = fitTarget(table, options);
  const names = options.columns ?? table.names.filter((name) => name !== target.name);
  if (names.length === 0) {
    throw new ArgumentError({
      where: "features",
      expected: "there must be at least one column to predict the target from",
      received: "none",
    });
  }
  const columns = names.map((name) => {
    if (name === target.name) {
      throw new ArgumentError({
        where: "features",
        expected: "columns must not hold the target, which would predict itself",
        received: quote(name),
      });
    }
    return fitColumn(table, findColumn("features", table.columns, name), missing, maxCategories);
  });
  return { columns, target, missing };
}

/** For each row the place of its text in a list; an error names the first text that is not in it. */
function places(
  where: string,
  table: Table,
  column: Column,
  known: readonly string[],
  what: string,
): Int32Array {
  const place = new Map(known.map((text, i) => [text, i]));
  const cells = texts(column);
  return Int32Array.from(cells, (text, i) => {
    const found = place.get(text);
    if (found === undefined) {
      throw new ArgumentError({
        where,
        expected: `column ${quote(column.name)} must hold ${what} that the encoding knows (${known.map(quote).join(", ")})`,
        received: `${quote(text)} on line ${table.lines[i]}`,
      });
    }
    return found;
  });
}

function numbers(where: string, table: Table, column: Column): Float64Array {
  if (column.kind === "numeric") return column.data;
  // One cell that is no number makes a column text: name that cell, or the first where all are missing.
  const cells = texts(column);
  const odd = cells.findIndex((text) => text !== "" && Number.isNaN(Number(text)));
  const i = Math.max(0, odd);
  throw new ArgumentError({
    where,
    expected: `column ${quote(column.name)} must be numeric, as in the encoding`,
    received: cells.length === 0 ? "no rows" : `${quote(cells[i] as string)} on line ${table.lines[i]}`,
  });
}

function inputsOf(where: string, table: Table, { columns, missing }: Encoding): Examples {
  const width = columns.reduce((sum, one) => sum + (one.kind === "numeric" ? 1 : one.categories.length), 0);
  const data = new Float32Array(table.size * width);
  let feature = 0;
  for (const encoding of columns) {
    const column = findColumn(where, table.columns, encoding.name);
    if (encoding.kind === "numeric") {
      const cells = numbers(where, table, column);
      if (missing === "error") checkPresent(where, table, column, "Fill it or leave the row out.");
      for (let i = 0; i < table.size; i++) {
        const x = cells[i] as number;
        data[i * width + feature] = Number.isNaN(x) ? 0 : (x - encoding.mean) / encoding.deviation;
      }
      feature += 1;
    } else {
      const codes = places(where, table, column, encoding.categories, "categories");
      for (let i = 0; i < table.size; i++) data[i * width + feature + (codes[i] as number)] = 1;
      feature += encoding.categories.length;
    }
  }
  return { data, shape: [width] };
}

/** The features of a table's rows, float32 of shape [rows, features]. */
export function encodeInputs(table: Table, encoding: Encoding): Value {
  const { data, shape } = inputsOf("encodeInputs", table, encoding);
  return value(data, { shape: [table.size, ...shape] });
}

/** The dataset of a table by an encoding. */
export function encodeTable(where: string, table: Table, encoding: Encoding): Dataset {
  const inputs = inputsOf(where, table, encoding);
  const { target } = encoding;
  const column = findColumn(where, table.columns, target.name);
  checkPresent(where, table, column, TARGET_ADVICE);
  if (target.task === "regression") {
    const targets = { data: Float32Array.from(numbers(where, table, column)), shape: [1] };
    return new Dataset({ inputs, targets, encoding });
  }
  const { classes } = target;
  const targets = places(where, table, column, classes, "classes");
  return new Dataset({ inputs, targets, classes, encoding });
}
