import { afterEach, expect, test, vi } from "vitest";
import { tiny } from "../cases/tiny.ts";
import { entries } from "../contenders/index.ts";
import { oneHot, transposed } from "../peers/layouts.ts";
import { missingPackage } from "../peers/packages.ts";
import { missingTorch, packProblem } from "../peers/pytorch.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

test("missingPackage names what is not installed in the version that package.json states", () => {
  expect(missingPackage([])).toBeNull();
  expect(missingPackage(["one", "@scope/two"])).toBe("one, @scope/two not installed in benchmarks/peers");
});

test("missingTorch says so where the Python has no torch, or is not there", () => {
  vi.stubEnv("PYTHON", "no-such-python");
  expect(missingTorch()).toBe("no-such-python has no torch");
  expect(entries.find(({ id }) => id === "pytorch")?.missing()).toBe("no-such-python has no torch");
});

test("packProblem puts arrays into one file and leaves their places", () => {
  const { json, binary } = packProblem({ ...tiny.problem(), label: "t", classes: Int32Array.from([7, -8]) });
  expect(json).toEqual({
    x: { dtype: "float32", offset: 0, length: 4 },
    y: { dtype: "float32", offset: 16, length: 4 },
    z: { dtype: "float32", offset: 32, length: 4 },
    classes: { dtype: "int32", offset: 48, length: 2 },
    label: "t",
  });
  const { y } = tiny.problem() as { y: Float32Array };
  const copy = Uint8Array.from(binary).buffer;
  expect([...new Float32Array(copy, 16, 4)]).toEqual([...y]);
  expect([...new Int32Array(copy, 48, 2)]).toEqual([7, -8]);
});

test("transposed swaps rows and columns; oneHot marks classes", () => {
  expect([...transposed(Float32Array.from([1, 2, 3, 4, 5, 6]), 2, 3)]).toEqual([1, 4, 2, 5, 3, 6]);
  expect([...oneHot(Int32Array.from([1, 0]), 3)]).toEqual([0, 1, 0, 1, 0, 0]);
});
