/** Tests of the CSV reader: what is read back, what kinds columns have, and malformed text. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CsvOptions, parseCsv, type Table } from "../src/index.ts";
import { saying } from "./saying.ts";

/** The texts of a categorical column, or the numbers of a numeric one. */
function cells(table: Table, name: string): (string | number | undefined)[] {
  const column = table.column(name);
  return column.kind === "numeric"
    ? Array.from(column.data)
    : Array.from(column.codes, (code) => column.categories[code]);
}

const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;

describe("parseCsv", () => {
  test("reads back any text that is quoted", () => {
    const text = fc.string({ unit: fc.constantFrom("a", '"', ",", "\n", "\r\n", " ", "é", "1", ";", "\\") });
    const rows = fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(rows, fc.constantFrom("\n", "\r\n", "\r"), fc.boolean(), (rows, end, closed) => {
        const lines = [["x", "y"], ...rows].map((row) => row.map(quoted).join(","));
        const table = parseCsv(lines.join(end) + (closed ? end : ""), { categorical: ["x", "y"] });
        expect(cells(table, "x")).toEqual(rows.map(([x]) => x));
        expect(cells(table, "y")).toEqual(rows.map(([, y]) => y));
      }),
    );
  });

  test("reads back any finite number", () => {
    const numbers = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 });
    fc.assert(
      fc.property(numbers, (numbers) => {
        const table = parseCsv(
          ["x", ...numbers.map((x) => (Object.is(x, -0) ? "-0" : String(x)))].join("\n"),
        );
        expect(cells(table, "x")).toEqual(numbers);
      }),
    );
  });

  test("skips a byte order mark, spaces around cells and empty lines", () => {
    const table = parseCsv('\ufeffage, name\r\n\r\n 1 , " Ann, ""A""\r\n"\r\n\r\n2,Bo\r\n\r\n');
    expect(table.names).toEqual(["age", "name"]);
    expect(cells(table, "age")).toEqual([1, 2]);
    expect(cells(table, "name")).toEqual([' Ann, "A"\r\n', "Bo"]);
  });

  test("knows the line on which each row ends", () => {
    expect(Array.from(parseCsv('a,b\r\n1,"x\r\ny"\r\n\r\n2,z\r\n').lines)).toEqual([3, 5]);
    expect(Array.from(parseCsv("a\n1\n2\r\n3\n").lines)).toEqual([2, 3, 4]);
  });

  test.each<[string, string[], "numeric" | "categorical"]>([
    ["decimal numbers", ["1", "-2.5", "+.5", "3.", "1e-3"], "numeric"],
    ["numbers and missing ones", ["1", "", "NA", "?"], "numeric"],
    ["nothing but missing cells", ["NA", "NA"], "categorical"],
    ["texts", ["a", "1"], "categorical"],
    ["booleans", ["true", "false"], "categorical"],
    ["numbers too large for a double", ["1", "1e999"], "categorical"],
    ["infinities", ["Infinity"], "categorical"],
    ["hexadecimal digits", ["0x10"], "categorical"],
  ])("reads %s as a column of that kind", (_, texts, kind) => {
    expect(parseCsv(["x,y", ...texts.map((text) => `${text},0`)].join("\n")).column("x").kind).toBe(kind);
  });

  test("reads a missing number as NaN, and a missing text as the category without a name", () => {
    const table = parseCsv("x,c\n1,a\n,\n3,b\n");
    expect(cells(table, "x")).toEqual([1, Number.NaN, 3]);
    expect(cells(table, "c")).toEqual(["a", "", "b"]);
  });

  test("takes another delimiter, names for columns, text columns and marks of missing numbers", () => {
    const options: CsvOptions = {
      delimiter: ";",
      columns: ["zip", "x"],
      categorical: ["zip"],
      missing: ["-"],
    };
    const table = parseCsv("0123;1.5\n0456;-\n", options);
    expect(cells(table, "zip")).toEqual(["0123", "0456"]);
    expect(cells(table, "x")).toEqual([1.5, Number.NaN]);
  });

  test("numbers a column without a name", () => {
    expect(parseCsv(",x\n0,1\n").names).toEqual(["column 1", "x"]);
  });

  test("makes an empty table of a header alone", () => {
    const table = parseCsv("a,b\n");
    expect(table.names).toEqual(["a", "b"]);
    expect(table.size).toBe(0);
  });

  test("reads one row without a line end", () => {
    expect(cells(parseCsv("a,b\n1,2"), "b")).toEqual([2]);
  });

  test.each([
    ["an empty text", "", "parseCsv: the first line must name the columns, got an empty text."],
    ["only empty lines", "\n\r\n", "parseCsv: the first line must name the columns, got an empty text."],
    ["a short row", "a,b\n1,2\n\n3\n", "parseCsv: rows must have 2 cells, got 1 on line 4."],
    ["a long row", "a\n1\n1,2\n", "parseCsv: rows must have 1 cell, got 2 on line 3."],
    ["two columns of one name", "a,b,a\n", 'parseCsv: columns must have different names, got "a" twice.'],
    [
      "a quote that is not closed",
      'a,b\n1,"x\n',
      "parseCsv: text must be well-formed CSV, got Quote Not Closed: the parsing is finished with an opening quote at line 2. " +
        'A quote inside a quoted cell is written twice ("").',
    ],
    [
      "a quote within a cell",
      'a,b\n1,x"y\n',
      'parseCsv: text must be well-formed CSV, got Invalid Opening Quote: a quote is found on field 1 at line 2, value is "x". ' +
        'A quote inside a quoted cell is written twice ("").',
    ],
  ])("refuses %s", (_, text, message) => {
    expect(() => parseCsv(text)).toThrow(saying(message));
  });

  test("refuses bytes", () => {
    const bytes: unknown = new Uint8Array(3);
    expect(() => parseCsv(bytes as string)).toThrow(
      saying("parseCsv: text must be a string, got Uint8Array."),
    );
  });
});

test("options that there are not are refused", () => {
  expect(() => parseCsv("a\n1", { delim: ";" } as never)).toThrow(
    "parseCsv: options must be among delimiter, columns, categorical, missing, got delim. Did you mean delimiter?",
  );
});
