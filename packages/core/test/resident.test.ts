import { parameter, type Value, value } from "@adjoint/core";
import { dataCell, gradientCell, type Keeper, tensorType } from "@adjoint/core/operations";
import { describe, expect, test } from "vitest";

/** A keeper that counts how often it is read. */
class Counting implements Keeper {
  reads = 0;
  read(place: number): Float64Array {
    this.reads++;
    return Float64Array.of(place, 10 * place);
  }
}

const pair = tensorType([2], "float64");

describe("resident data", () => {
  test("is copied out once, when it is read", () => {
    const w = parameter([1, 2]);
    const [cell, keeper] = [dataCell(w), new Counting()];
    expect(dataCell(w)).toBe(cell);
    cell.keep(keeper, 3, pair);
    expect([w.version, keeper.reads]).toEqual([1, 0]);
    expect([w.toArray(), w.mul(2).toArray(), keeper.reads]).toEqual([[3, 30], [6, 60], 1]);
    cell.keep(keeper, 4, pair);
    w.assign([0, 0]);
    expect([w.toArray(), keeper.reads, w.version]).toEqual([[0, 0], 1, 3]);
  });

  test("is released by the one who keeps it", () => {
    const w = parameter([1, 2]);
    const [cell, keeper] = [dataCell(w), new Counting()];
    cell.keep(keeper, 1, pair);
    cell.release(new Counting());
    expect(keeper.reads).toBe(0);
    cell.release(keeper);
    cell.release(keeper);
    expect([keeper.reads, w.toArray()]).toEqual([1, [1, 10]]);
  });

  test("counts as replaced, so that backward refuses it", () => {
    const w = parameter([1, 2]);
    const y = w.square().sum();
    dataCell(w).keep(new Counting(), 1, pair);
    expect(() => y.backward()).toThrow("replaced by assign() since (version 1)");
  });
});

describe("resident gradients", () => {
  test("become a value when they are read, the same one each time", () => {
    const w = parameter([1, 2]);
    const [cell, keeper] = [gradientCell(w), new Counting()];
    expect([cell.dtype, w.grad]).toEqual([null, null]);
    cell.keep(keeper, 2, pair);
    expect([cell.dtype, keeper.reads]).toEqual(["float64", 0]);
    const gradient = w.grad as Value | null;
    expect([gradient?.toArray(), w.grad === gradient, keeper.reads]).toEqual([[2, 20], true, 1]);
  });

  test("are added to and cleared as others are", () => {
    const w = parameter([1, 2]);
    const [cell, keeper] = [gradientCell(w), new Counting()];
    cell.keep(keeper, 2, pair);
    w.sum().backward();
    expect([(w.grad as Value | null)?.toArray(), cell.read()]).toEqual([[3, 21], Float64Array.of(3, 21)]);
    w.grad = null;
    expect([w.grad, cell.dtype]).toEqual([null, null]);
    w.grad = value(new Float32Array(2));
    expect(cell.dtype).toBe("float32");
  });
});
