/** Tests of tables: columns, parts, and the datasets made of them. */
import { inspect } from "node:util";
import { value } from "@adjoint/core";
import { describe, expect, test } from "vitest";
import { type Encoding, type FeatureOptions, parseCsv, Table } from "../src/index.ts";
import { saying } from "./saying.ts";

const people = parseCsv(
  ["height,weight,color,label", "1,10,red,a", "2,20,blue,b", "3,30,red,b", "4,60,green,a"].join("\n"),
);

describe("Table", () => {
  test("names its columns in order", () => {
    expect(people.names).toEqual(["height", "weight", "color", "label"]);
    expect(people.size).toBe(4);
  });

  test("prints as its columns, and its datasets as their shapes", () => {
    expect(inspect(people)).toBe(
      "Table: 4 rows\n  height: numeric\n  weight: numeric\n  color: categorical, 3 categories\n  label: categorical, 2 categories",
    );
    expect(inspect(people.features({ target: "label" }))).toBe(
      "Dataset: 4 examples\n  inputs: [5], Float32Array\n  targets: [], Int32Array, 2 classes",
    );
  });

  test("numbers the rows of columns that come from no text", () => {
    const table = new Table([{ kind: "numeric", name: "x", data: Float64Array.of(5, 6) }]);
    expect(Array.from(table.lines)).toEqual([1, 2]);
  });

  test("refuses columns of different lengths", () => {
    const columns = [1, 2].map((n) => ({
      kind: "numeric" as const,
      name: `x${n}`,
      data: new Float64Array(n),
    }));
    expect(() => new Table(columns)).toThrow(
      saying('Table: column "x2" must have 1 rows, as the first one, got 2.'),
    );
  });

  test("refuses two columns of one name", () => {
    const column = { kind: "numeric" as const, name: "x", data: new Float64Array(1) };
    expect(() => new Table([column, column])).toThrow(
      saying('Table: columns must have different names, got "x" twice.'),
    );
  });

  test("column names the one that was probably meant", () => {
    expect(() => people.column("Colour")).toThrow(
      saying(
        'column: column must be one of "height", "weight", "color", "label", got "Colour". Did you mean "color"?',
      ),
    );
    expect(() => people.column("age")).toThrow(
      saying('column: column must be one of "height", "weight", "color", "label", got "age".'),
    );
    expect(() => new Table([]).column("age")).toThrow(
      saying('column: column must be one of none, since the table is empty, got "age".'),
    );
  });

  test("gather takes rows and their lines, and keeps all categories", () => {
    const part = people.gather(value(Int32Array.of(3, 0)));
    expect(part.column("height")).toMatchObject({ data: Float64Array.of(4, 1) });
    expect(part.column("color")).toMatchObject({
      codes: Int32Array.of(1, 2),
      categories: ["blue", "green", "red"],
    });
    expect(Array.from(part.lines)).toEqual([5, 2]);
    expect(() => people.gather([4])).toThrow(
      saying("gather: indices must be whole numbers from 0 to 3, got 4 at position 0."),
    );
  });

  test("slice counts bounds as arrays do", () => {
    expect(people.slice(-3, -1).column("height")).toMatchObject({ data: Float64Array.of(2, 3) });
    expect(people.slice(3, 1).size).toBe(0);
    expect(people.slice(2, 99).size).toBe(2);
  });

  test("split brings the rows into order first", () => {
    const [a, b] = people.split(0.75, [3, 2, 1, 0]);
    expect(a.column("height")).toMatchObject({ data: Float64Array.of(4, 3, 2) });
    expect(b.column("height")).toMatchObject({ data: Float64Array.of(1) });
  });
});

describe("features", () => {
  test("standardizes numbers and makes one feature a category", () => {
    const data = people.features({ target: "label", columns: ["weight", "color"] });
    // mean 30, population deviation sqrt((400 + 100 + 0 + 900) / 4) = sqrt(350)
    const z = (x: number) => Math.fround((x - 30) / Math.sqrt(350));
    expect(data.batch().inputs.toArray()).toEqual([
      [z(10), 0, 0, 1],
      [z(20), 1, 0, 0],
      [z(30), 0, 0, 1],
      [z(60), 0, 1, 0],
    ]);
    expect(data.batch().targets.toArray()).toEqual([0, 1, 1, 0]);
    expect(data.batch().targets.dtype).toBe("int32");
    expect(data.batch().inputs.dtype).toBe("float32");
    expect(data.classes).toEqual(["a", "b"]);
  });

  test("makes zeros of a constant column, however its mean rounds", () => {
    const rows = Array.from({ length: 10 }, (_, i) => `0.1,${i}.5`);
    const data = parseCsv(["x,y", ...rows].join("\n")).features({ target: "y" });
    for (const [x] of data.batch().inputs.toArray() as number[][]) expect(x).toBeCloseTo(0, 12);
  });

  test.each<[string, string[], FeatureOptions["task"] | undefined, string]>([
    ["texts are classes", ["a", "b"], undefined, "classification"],
    ["booleans are classes", ["true", "false"], undefined, "classification"],
    ["few distinct whole numbers are classes", ["3", "10", "3", "10"], undefined, "classification"],
    ["whole numbers that come up once are numbers", ["1", "2", "3", "4"], undefined, "regression"],
    ["numbers with a fraction are numbers", ["1.5", "1.5", "1.5", "2"], undefined, "regression"],
    [
      "more than 20 whole numbers are numbers",
      [..."x".repeat(84)].map((_, i) => `${i % 21}`),
      undefined,
      "regression",
    ],
    [
      "20 whole numbers are classes",
      [..."x".repeat(80)].map((_, i) => `${i % 20}`),
      undefined,
      "classification",
    ],
    ["whole numbers are numbers when asked", ["1", "2", "1", "2"], "regression", "regression"],
    ["numbers are classes when asked", ["0.5", "1.5", "2"], "classification", "classification"],
  ])("%s", (_, targets, task, expected) => {
    const table = parseCsv(["x,y", ...targets.map((y, i) => `${i},${y}`)].join("\n"));
    const data = table.features({ target: "y", ...(task === undefined ? {} : { task }) });
    expect(data.encoding?.target.task).toBe(expected);
    expect(data.targets.shape).toEqual(expected === "regression" ? [1] : []);
  });

  test("orders numeric classes by size", () => {
    const data = parseCsv("x,y\n0,10\n0,9\n0,10\n0,9\n").features({ target: "y" });
    expect(data.classes).toEqual(["9", "10"]);
    expect(data.batch().targets.toArray()).toEqual([1, 0, 1, 0]);
  });

  test("fills missing numbers with the mean when asked", () => {
    const table = parseCsv("x,y\n1,0.5\n,1.5\n3,2.5\n");
    expect(table.features({ target: "y", missing: "mean" }).batch().inputs.toArray()).toEqual([
      [-1],
      [0],
      [1],
    ]);
  });

  test("measures only the rows that it is called on", () => {
    const [training, validation] = people.split(0.5);
    const data = training.features({ target: "label", columns: ["height"] });
    expect(data.batch().inputs.toArray()).toEqual([[-1], [1]]);
    const saved: Encoding = JSON.parse(JSON.stringify(data.encoding));
    expect(validation.encode(saved).batch().inputs.toArray()).toEqual([[3], [5]]);
    expect(parseCsv("height\n1.5\n").encodeInputs(saved).toArray()).toEqual([[0]]);
  });

  const gaps = parseCsv("x,c,y\n1,a,0.5\n,b,1.5\n3,a,\n");
  test.each<[string, () => unknown, string]>([
    [
      "a target that is not there",
      () => people.features({ target: "labels" }),
      'features: column must be one of "height", "weight", "color", "label", got "labels". Did you mean "label"?',
    ],
    [
      "a column that is not there",
      () => people.features({ target: "label", columns: ["heigth"] }),
      'features: column must be one of "height", "weight", "color", "label", got "heigth". Did you mean "height"?',
    ],
    [
      "a missing number",
      () => gaps.slice(0, 2).features({ target: "y" }),
      'features: column "x" must have a value in every row, got a missing cell on line 3. Fill it, leave the row out, or pass missing: "mean".',
    ],
    [
      "a missing target",
      () => gaps.features({ target: "y", missing: "mean" }),
      'features: column "y" must have a value in every row, got a missing cell on line 4. Leave the row out: nothing can be learnt from it.',
    ],
    [
      "a missing class",
      () => parseCsv("x,y\n1,a\n2,\n").features({ target: "y" }),
      'features: column "y" must have a value in every row, got a missing cell on line 3. Leave the row out: nothing can be learnt from it.',
    ],
    [
      "regression to text",
      () => people.features({ target: "color", task: "regression" }),
      'features: the target of a regression must be numeric, and column "color" is text, got "red".',
    ],
    [
      "a task that there is not",
      () => people.features({ target: "color", task: "ranking" as "regression" }),
      'features: task must be "classification" or "regression", got "ranking".',
    ],
    [
      "a way of filling that there is not",
      () => people.features({ target: "color", missing: "median" as "mean" }),
      'features: missing must be "error" or "mean", got "median".',
    ],
    [
      "the target among the columns",
      () => people.features({ target: "label", columns: ["label"] }),
      'features: columns must not hold the target, which would predict itself, got "label".',
    ],
    [
      "a target alone",
      () => parseCsv("y\n1\n2\n").features({ target: "y" }),
      "features: there must be at least one column to predict the target from, got none.",
    ],
    [
      "an empty table",
      () => parseCsv("x,y\n").features({ target: "y" }),
      "features: a table must have at least one row, got 0.",
    ],
    [
      "a text column that is hardly a category",
      () => people.features({ target: "label", maxCategories: 2 }),
      'features: text column "color" must have at most 2 categories, got 3, for example "blue", "green", "red". ' +
        "Leave it out with columns, or raise maxCategories.",
    ],
  ])("refuses %s", (_, call, message) => {
    expect(call).toThrow(saying(message));
  });
});

describe("encode", () => {
  const { encoding } = people.features({ target: "label" });
  if (encoding === null) throw new Error("features must keep its encoding.");
  test.each([
    [
      "a column that is not there",
      "height,weight,label\n1,2,a\n",
      'encode: column must be one of "height", "weight", "label", got "color".',
    ],
    [
      "a category that is not known",
      "height,weight,color,label\n1,2,red,a\n1,2,pink,a\n",
      'encode: column "color" must hold categories that the encoding knows ("blue", "green", "red"), got "pink" on line 3.',
    ],
    [
      "a class that is not known",
      "height,weight,color,label\n1,2,red,c\n",
      'encode: column "label" must hold classes that the encoding knows ("a", "b"), got "c" on line 2.',
    ],
    [
      "text for numbers",
      "height,weight,color,label\n1,2,red,a\ntall,2,red,a\n",
      'encode: column "height" must be numeric, as in the encoding, got "tall" on line 3.',
    ],
    [
      "a missing number",
      "height,weight,color,label\n1,2,red,a\n,2,red,a\n",
      'encode: column "height" must have a value in every row, got a missing cell on line 3. Fill it or leave the row out.',
    ],
  ])("refuses %s", (_, text, message) => {
    expect(() => parseCsv(text).encode(encoding)).toThrow(saying(message));
  });

  test("reads numbers as the categories that they were", () => {
    const table = parseCsv("size,y\n1,a\n2,b\n", { categorical: ["size"] });
    const { encoding } = table.features({ target: "y" });
    if (encoding === null) throw new Error("features must keep its encoding.");
    expect(parseCsv("size\n2\n").encodeInputs(encoding).toArray()).toEqual([[0, 1]]);
  });
});
