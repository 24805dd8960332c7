import { value } from "@adjoint/core";
import { describe, expect, test } from "vitest";
import { Confusion } from "../src/summary.ts";

describe("Confusion", () => {
  test("Confusion counts what each class was taken for, and names the worst", () => {
    const confusion = new Confusion(["cat", "dog", "cow"]);
    const logits = value([
      [9, 0, 0],
      [0, 9, 0],
      [0, 9, 0],
      [0, 9, 0],
      [0, 0, 9],
    ]);
    confusion.add(logits, value(Int32Array.of(0, 0, 0, 1, 2)));
    expect(confusion.totals).toEqual({ examples: 5, wrong: 2 });
    expect(confusion.worst()).toEqual(["cat, 33.3% right, 2 times taken for dog"]);
  });

  test("Confusion says nothing of classes that are all right, or absent", () => {
    const confusion = new Confusion(["cat", "dog"]);
    confusion.add(value([[9, 0]]), value(Int32Array.of(0)));
    expect(confusion.worst()).toEqual([]);
  });
});
