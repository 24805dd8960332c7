/** Holds the reading of shown results to examples of what must and must not agree. */
import { describe, expect, test } from "vitest";
import { expectShown, expectThrown, looksLikeResult, parseShown } from "./shown.ts";

describe("expectShown", () => {
  test.each<[unknown, string]>([
    [3, "3"],
    [-0.5, "-0.5"],
    [1000, "1_000"],
    [1e-7, "1e-7"],
    [Number.NaN, "NaN"],
    [Number.NEGATIVE_INFINITY, "-Infinity"],
    [0.1 + 0.2, "0.30000000000000004"],
    [Math.PI, "3.14…"],
    [Math.PI, "3.1416…"],
    [Math.PI, "~3.1416"],
    [Math.PI, "≈ 3.14"],
    [1.2345e-7, "1.23…e-7"],
    [[0.333333, 0.666666], "~[0.33, 0.67]"],
    [[1, 2, 3], "[1, 2, …]"],
    [new Float32Array([1, 2]), "[1, 2]"],
    [{ toArray: () => [[11]] }, "[[11]]"],
    [{ a: { toArray: () => 2 }, b: "x" }, '{ a: 2, "b": "x" }'],
    [{ a: 1, b: 2 }, "{ a: 1, … }"],
    [[], "[]"],
    [null, "null"],
    [undefined, "undefined"],
    [true, "true"],
    ["it's\n", '"it\'s\\n"'],
  ])("expectShown(%j, %j) passes", (actual, text) => {
    expect(() => expectShown(actual, text, "here")).not.toThrow();
  });

  test.each<[unknown, string]>([
    [3.0000001, "3"],
    [0.3, "0.30000000000000004"],
    [Math.PI, "3.13…"],
    [Math.PI, "~3.1415"],
    [[1, 2, 3], "[1, 2]"],
    [[1], "[1, 2, …]"],
    [1, "[1]"],
    [[1], "1"],
    ["1", "1"],
    [null, "undefined"],
    [{ a: 1, b: 2 }, "{ a: 1 }"],
    [{}, "{ a: undefined }"],
    [Number.NaN, "0"],
    [Number.NaN, "~0"],
  ])("expectShown(%j, %j) throws", (actual, text) => {
    expect(() => expectShown(actual, text, "here")).toThrow("here: the example shows");
  });

  test("expectShown names the place, what is shown and what came", () => {
    expect(() => expectShown([[12]], " [[11]]", "README.md:5")).toThrow(
      "README.md:5: the example shows [[11]], got [[12]].",
    );
  });
});

describe("expectThrown", () => {
  test("expectThrown accepts the error that is shown", async () => {
    await expectThrown(
      () => {
        throw new RangeError("f: no.");
      },
      "RangeError: f: no.",
      "here",
    );
    await expectThrown(() => Promise.reject(new Error("late")), "late", "here");
  });

  test("expectThrown throws when another error, or none, comes", async () => {
    await expect(expectThrown(() => 3, "Error", "here")).rejects.toThrow(
      'here: the example throws "Error", got the value 3.',
    );
    await expect(
      expectThrown(
        () => {
          throw new Error("a");
        },
        "b",
        "here",
      ),
    ).rejects.toThrow("got Error: a.");
  });
});

test.each(["3", "-1", "~2", "[1]", "{ a: 1 }", '"a"', "true", "NaN", "-Infinity", ".5"])(
  "looksLikeResult(%j) is true",
  (text) => {
    expect(looksLikeResult(text)).toBe(true);
  },
);

test.each(["the answer", "trueish", "a 3", "- item", "→ 3"])("looksLikeResult(%j) is false", (text) => {
  expect(looksLikeResult(text)).toBe(false);
});

test.each(["[1", "3 epochs", "{ a 1 }", "[…, 1]", "[1 2]", "1."])("parseShown(%j) throws", (text) => {
  expect(() => parseShown(text)).toThrow("must come next");
});
