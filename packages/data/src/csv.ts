/** Reads CSV text into a table. */

import { ArgumentError } from "@adjoint/core";
import { checkOptions, describe, type OptionNames } from "@adjoint/core/operations";
import { CsvError, parse } from "csv-parse/browser/esm/sync";
import { type Column, Table } from "./table.ts";

/** Options of `parseCsv`. */
export interface CsvOptions {
  /** What stands between two cells; by default a comma. */
  readonly delimiter?: string;
  /** The columns' names, where the text has no header row. */
  readonly columns?: readonly string[];
  /** Columns to read as text though every cell is a number, for example postal codes. */
  readonly categorical?: readonly string[];
  /** Cells that mean "no number here", besides empty ones; by default NA, N/A, NaN, null and ?. */
  readonly missing?: readonly string[];
}

const CSV: OptionNames<CsvOptions> = { delimiter: true, columns: true, categorical: true, missing: true };

const MISSING = ["NA", "N/A", "NaN", "nan", "null", "?"];

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

interface Row {
  readonly record: readonly string[];
  /** The line on which the row ends, counted from 1. */
  readonly line: number;
}

/** Numbers the lines. csv-parse counts a CRLF within quotes as two lines, but knows the byte at which a row ends. */
function numbered(text: string, rows: readonly { record: string[]; info: { bytes: number } }[]): Row[] {
  const bytes = new TextEncoder().encode(text);
  const LF = 10;
  const CR = 13;
  let breaks = 0;
  let at = 0;
  return rows.map(({ record, info }) => {
    for (; at < info.bytes; at++) {
      if (bytes[at] === LF || (bytes[at] === CR && bytes[at + 1] !== LF)) breaks++;
    }
    const closed = bytes[at - 1] === LF || bytes[at - 1] === CR;
    return { record, line: closed ? breaks : breaks + 1 };
  });
}

function rowsOf(text: string, delimiter: string): Row[] {
  try {
    const rows: unknown = parse(text, {
      bom: true,
      delimiter,
      info: true,
      record_delimiter: ["\r\n", "\n", "\r"],
      // Rows of another length are told apart below, with a message that says which line.
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
    });
    return numbered(text, rows as { record: string[]; info: { bytes: number } }[]);
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new ArgumentError({
      where: "parseCsv",
      expected: "text must be well-formed CSV",
      received: error.message.replace(/\.$/, ""),
      advice: 'A quote inside a quoted cell is written twice ("").',
    });
  }
}

function numeric(name: string, cells: readonly string[], missing: ReadonlySet<string>): Column | null {
  const data = new Float64Array(cells.length);
  let found = false;
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i] as string;
    if (missing.has(cell)) {
      data[i] = Number.NaN;
    } else {
      const x = NUMBER.test(cell) ? Number(cell) : Number.NaN;
      if (!Number.isFinite(x)) return null;
      data[i] = x;
      found = true;
    }
  }
  return found ? { kind: "numeric", name, data } : null;
}

function categorical(name: string, cells: readonly string[]): Column {
  const categories = [...new Set(cells)].sort((a, b) => (a < b ? -1 : 1));
  const place = new Map(categories.map((text, i) => [text, i]));
  return { kind: "categorical", name, categories, codes: Int32Array.from(cells, (cell) => place.get(cell)!) };
}

/**
 * Reads CSV text (RFC 4180): a header row, then one row of cells a line. Quoted cells may hold delimiters, quotes
 * and line breaks; a byte order mark, spaces around cells and empty lines are skipped; lines end in LF, CRLF or CR.
 *
 * A column is numeric where every cell is a finite decimal number or missing, and at least one is a number; otherwise
 * it is categorical. A missing number is NaN. A column without a name is called "column 1" after its place.
 * Throws: ArgumentError for text that is not CSV, has no header, a row of another length, or two columns of one name.
 *
 * @example
 * const table = parseCsv("height,color\n1.5,red\n2,blue\n");
 * table.names // ["height", "color"]
 * table.column("color") // { kind: "categorical", name: "color", categories: ["blue", "red"], codes: [1, 0] }
 * parseCsv("a,b\n1\n") // throws parseCsv: rows must have 2 cells, got 1 on line 2.
 */
export function parseCsv(text: string, options: CsvOptions = {}): Table {
  const { delimiter = ",", categorical: asText = [] } = checkOptions("parseCsv", options, CSV);
  if (typeof text !== "string") {
    throw new ArgumentError({
      where: "parseCsv",
      expected: "text must be a string",
      received: describe(text),
    });
  }
  const all = rowsOf(text, delimiter);
  const header = options.columns ?? all[0]?.record;
  if (header === undefined) {
    throw new ArgumentError({
      where: "parseCsv",
      expected: "the first line must name the columns",
      received: "an empty text",
    });
  }
  const rows = options.columns === undefined ? all.slice(1) : all;
  const names = header.map((name, i) => (name === "" ? `column ${i + 1}` : name));
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    throw new ArgumentError({
      where: "parseCsv",
      expected: "columns must have different names",
      received: `${JSON.stringify(twice)} twice`,
    });
  }
  for (const { record, line } of rows) {
    if (record.length !== names.length) {
      throw new ArgumentError({
        where: "parseCsv",
        expected: `rows must have ${names.length} ${names.length === 1 ? "cell" : "cells"}`,
        received: `${record.length} on line ${line}`,
      });
    }
  }
  const missing = new Set(["", ...(options.missing ?? MISSING)]);
  const columns = names.map((name, j) => {
    const cells = rows.map(({ record }) => record[j] as string);
    return (asText.includes(name) ? null : numeric(name, cells, missing)) ?? categorical(name, cells);
  });
  return new Table(
    columns,
    Int32Array.from(rows, ({ line }) => line),
  );
}
