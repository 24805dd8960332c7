/** Tests of datasets: storage, parts, and batches. */
import { value } from "@adjoint/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Dataset, type TargetUnits } from "../src/index.ts";
import { saying } from "./saying.ts";

/** Row i holds i and i + 0.5, its target is 10 i. */
function counted(size: number): Dataset {
  const inputs = Float32Array.from({ length: 2 * size }, (_, k) => k / 2);
  return new Dataset({
    inputs: { data: inputs, shape: [2] },
    targets: Int32Array.from({ length: size }, (_, i) => 10 * i),
    classes: ["some"],
  });
}

const permutation = (size: number) =>
  fc.shuffledSubarray(
    Array.from({ length: size }, (_, i) => i),
    { minLength: size, maxLength: size },
  );

describe("Dataset", () => {
  test("takes nested numbers as float32 and typed arrays as they are", () => {
    const data = new Dataset({
      inputs: [
        [1, 2],
        [3, 4],
      ],
      targets: Int32Array.of(1, 0),
    });
    const { inputs, targets } = data.batch();
    expect([inputs.dtype, inputs.shape, targets.dtype, targets.shape]).toEqual([
      "float32",
      [2, 2],
      "int32",
      [2],
    ]);
    const doubles = new Dataset({ inputs: Float64Array.of(0.1), targets: [0.5] }).batch();
    expect(doubles.inputs.item()).toBe(Math.fround(0.1));
    expect(doubles.targets.dtype).toBe("float32");
  });

  test("takes values", () => {
    const tokens = value(Int32Array.of(1, 2, 3, 4), { shape: [2, 2] });
    const data = new Dataset({ inputs: tokens, targets: value([[1], [2]]) });
    expect(data.batch([1]).inputs.dtype).toBe("int32");
    expect(data.batch([1]).inputs.toArray()).toEqual([[3, 4]]);
    expect(data.batch([1]).targets.dtype).toBe("float32");
    expect(data.batch([1]).targets.shape).toEqual([1, 1]);
  });

  test.each([1, 40])("keeps bytes and scales them batch by batch, %i an example", (width) => {
    const bytes = Uint8Array.from({ length: 3 * width }, (_, i) => i);
    const targets = new Float32Array(3);
    const data = new Dataset({ inputs: { data: bytes, shape: [width], scale: 1 / 255 }, targets });
    expect(data.inputs.data).toBe(bytes);
    const expected = [2, 0].map((i) =>
      Array.from({ length: width }, (_, j) => Math.fround((i * width + j) / 255)),
    );
    expect(data.batch([2, 0]).inputs.toArray()).toEqual(expected);
    expect(data.gather([2, 0]).inputs.data).toBeInstanceOf(Uint8Array);
    expect(data.gather([2, 0]).batch().inputs.toArray()).toEqual(expected);
  });

  test.each([2, 50])("reads bytes without a scale as whole numbers, %i an example", (width) => {
    const data = new Dataset({
      inputs: { data: new Uint8Array(width).fill(200), shape: [width] },
      targets: [0],
    });
    expect(data.batch().inputs.dtype).toBe("float32");
    expect(data.batch().inputs.toArray()).toEqual([Array.from({ length: width }, () => 200)]);
  });

  test("slice shares memory and counts bounds as arrays do", () => {
    const data = counted(5);
    const part = data.slice(-3, -1);
    expect(part.batch().targets.toArray()).toEqual([20, 30]);
    expect(part.inputs.data.buffer).toBe(data.inputs.data.buffer);
    expect(part.classes).toEqual(["some"]);
    expect(data.slice(4, 2).size).toBe(0);
    expect(() => data.slice(0.5)).toThrow(saying("slice: start and end must be whole numbers, got 0.5."));
  });

  test("gather takes rows in the given order, one several times", () => {
    const part = counted(4).gather([3, 0, 3]);
    expect(part.batch().inputs.toArray()).toEqual([
      [3, 3.5],
      [0, 0.5],
      [3, 3.5],
    ]);
    expect(part.batch().targets.toArray()).toEqual([30, 0, 30]);
  });

  test("split puts every row into one of two parts, neither empty", () => {
    const cases = fc
      .integer({ min: 2, max: 30 })
      .chain((size) => fc.tuple(fc.constant(size), permutation(size)));
    fc.assert(
      fc.property(
        cases,
        fc.double({ min: 0, max: 1, minExcluded: true, maxExcluded: true, noNaN: true }),
        ([size, order], fraction) => {
          const [a, b] = counted(size).split(fraction, Int32Array.from(order));
          expect(Math.min(a.size, b.size)).toBeGreaterThan(0);
          expect(Math.abs(a.size - fraction * size)).toBeLessThanOrEqual(1);
          const targets = [a, b].flatMap((part) => Array.from(part.batch().targets.data));
          expect(targets).toEqual(order.map((i) => 10 * i));
        },
      ),
    );
  });

  test("split without an order shares memory", () => {
    const data = counted(4);
    const [a, b] = data.split(0.5);
    expect(a.batch().targets.toArray()).toEqual([0, 10]);
    expect(b.inputs.data.buffer).toBe(data.inputs.data.buffer);
  });

  test("reshapeInputs shares memory", () => {
    const data = new Dataset({ inputs: { data: new Float32Array(12), shape: [6] }, targets: [0, 1] });
    expect(data.reshapeInputs([1, 2, 3]).batch().inputs.shape).toEqual([2, 1, 2, 3]);
    expect(() => data.reshapeInputs([4])).toThrow(
      saying("reshapeInputs: one input has 6 elements, got shape [4]."),
    );
  });

  test("standardizeTargets gives mean 0 and deviation 1, and its units for other rows", () => {
    const bytes = Uint8Array.of(10, 0, 30, 0, 50, 0, 70, 0);
    const data = new Dataset({
      inputs: [[1], [2], [3], [4]],
      targets: { data: bytes, shape: [2], scale: 0.1 },
    });
    const standard = data.standardizeTargets();
    const { mean, deviation } = standard.targetUnits as TargetUnits;
    // 1, 3, 5, 7 and zeros: the variance is 5.
    expect(mean).toEqual([4, 0]);
    expect(deviation).toEqual([expect.closeTo(Math.sqrt(5), 12), 1]);
    const targets = standard.batch().targets;
    expect(targets.mean(0).toArray()).toEqual([expect.closeTo(0, 6), 0]);
    expect(targets.std(0).toArray()).toEqual([expect.closeTo(1, 6), 0]);
    expect(data.targetUnits).toBe(null);
    for (const part of [standard.slice(1, 3), standard.gather([1, 2]), standard.split(0.5)[0]]) {
      expect(part.targetUnits).toEqual(standard.targetUnits);
      expect(part.inputs.shape).toEqual([1]);
    }
    const [first, second] = Array.from(standard.batch([3]).targets.data) as [number, number];
    expect([first * (deviation[0] as number) + 4, second]).toEqual([expect.closeTo(7, 6), 0]);
    const again = new Dataset({ inputs: [[0]], targets: [[9, 2]] }).standardizeTargets(
      JSON.parse(JSON.stringify({ mean, deviation })),
    );
    expect(again.batch().targets.toArray()).toEqual([[expect.closeTo(Math.sqrt(5), 6), 2]]);
  });

  test("standardizeTargets keeps equal targets at 0, large ones too", () => {
    const data = new Dataset({ inputs: [[1], [2], [3]], targets: [123456.789, 123456.789, 123456.789] });
    const [x] = data.standardizeTargets().batch().targets.toArray() as [number];
    expect(Math.abs(x)).toBeLessThan(0.01);
    expect(data.standardizeTargets().targetUnits?.deviation).toEqual([1]);
  });

  test("standardizeTargets refuses classes, units of other targets, and a second time", () => {
    const classes = new Dataset({ inputs: [[1], [2]], targets: Int32Array.of(0, 1) });
    expect(() => classes.standardizeTargets()).toThrow(
      saying("standardizeTargets: targets must be numbers to regress to, got class indices (int32)."),
    );
    const data = new Dataset({ inputs: [[1], [2]], targets: [1, 2] });
    expect(() => data.standardizeTargets({ mean: [1, 2], deviation: [1] })).toThrow(
      saying("standardizeTargets: units must have 1 means and deviations, got 2 and 1."),
    );
    expect(() => data.standardizeTargets().standardizeTargets()).toThrow(
      saying(
        "standardizeTargets: targets must be in the units they came in, got standardized ones. Standardize once.",
      ),
    );
  });

  test("batches go through the order once", () => {
    const cases = fc
      .integer({ min: 1, max: 30 })
      .chain((size) => fc.tuple(fc.constant(size), permutation(size)));
    fc.assert(
      fc.property(
        cases,
        fc.integer({ min: 1, max: 40 }),
        fc.boolean(),
        ([size, order], batchSize, dropLast) => {
          const batches = [...counted(size).batches({ batchSize, order: Uint32Array.from(order), dropLast })];
          const sizes = batches.map(({ indices }) => indices.length);
          for (const n of dropLast ? sizes : sizes.slice(0, -1)) expect(n).toBe(batchSize);
          const kept = dropLast ? size - (size % batchSize) : size;
          expect(batches.flatMap(({ indices }) => Array.from(indices))).toEqual(order.slice(0, kept));
          for (const { inputs, targets, indices } of batches) {
            expect(inputs.toArray()).toEqual(Array.from(indices, (i) => [i, i + 0.5]));
            expect(targets.toArray()).toEqual(Array.from(indices, (i) => 10 * i));
          }
        },
      ),
    );
  });

  test("batches takes a value as the order, and the order is read when it is called", () => {
    const order = Int32Array.of(1, 0);
    const batches = counted(2).batches({ order });
    order.fill(0);
    expect([...batches].map(({ indices }) => Array.from(indices))).toEqual([[1, 0]]);
    const [batch] = counted(2).batches({ order: value(Int32Array.of(1, 0)) });
    expect(batch?.targets.toArray()).toEqual([10, 0]);
  });

  test("batches gives one batch of everything by default, and none of nothing", () => {
    expect([...counted(7).batches()].map(({ inputs }) => inputs.shape)).toEqual([[7, 2]]);
    expect([...counted(0).batches()]).toEqual([]);
    expect([...counted(3).batches({ batchSize: 4, dropLast: true })]).toEqual([]);
  });

  test.each<[string, () => unknown, string]>([
    [
      "targets of another number",
      () => new Dataset({ inputs: [[1], [2]], targets: [1] }),
      "Dataset: inputs and targets must have as many examples as each other, got 2 and 1.",
    ],
    [
      "half an example",
      () => new Dataset({ inputs: { data: new Float32Array(5), shape: [2] }, targets: [1, 2] }),
      "Dataset: inputs must hold whole examples of shape [2], got 5 elements.",
    ],
    [
      "examples without elements",
      () => new Dataset({ inputs: { data: new Float32Array(0), shape: [0] }, targets: [] }),
      "Dataset: inputs must hold whole examples of shape [0], got 0 elements.",
    ],
    [
      "a scalar",
      () => new Dataset({ inputs: [1], targets: value(1) }),
      "Dataset: targets must have a first axis that counts the examples, got a scalar.",
    ],
    [
      "another kind of storage",
      () => new Dataset({ inputs: { data: [1, 2] as unknown as Float32Array, shape: [] }, targets: [1, 2] }),
      "Dataset: inputs must be stored in a Float32Array, Int32Array or Uint8Array, got an array of 2.",
    ],
    [
      "a batch of no examples",
      () => counted(3).batches({ batchSize: 0 }),
      "batches: batchSize must be a whole number ≥ 1, got 0.",
    ],
    [
      "an order that is too short",
      () => counted(3).batches({ order: [0, 1] }),
      "batches: order must hold every row once, here 3, got 2.",
    ],
    [
      "an order with a row twice",
      () => counted(3).batches({ order: [0, 1, 1] }),
      "batches: order must hold every row once, got row 1 twice.",
    ],
    [
      "a row that is not there",
      () => counted(3).batch([0, -1]),
      "batch: indices must be whole numbers from 0 to 2, got -1 at position 1.",
    ],
    [
      "a fraction of everything",
      () => counted(3).split(1),
      "split: fraction must be between 0 and 1, got 1.",
    ],
    ["one row in two parts", () => counted(1).split(0.5), "split: a split must have at least 2 rows, got 1."],
  ])("refuses %s where it is asked for", (_, call, message) => {
    expect(call).toThrow(saying(message));
  });
});
