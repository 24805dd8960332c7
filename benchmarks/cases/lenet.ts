/**
 * A training step of LeNet-5 with relu and max pooling: convolutions of 6 and 16 kernels 5 × 5, dense layers of 120, 84
 * and 10, on images 28 × 28 with two zeros around them, softmax cross-entropy and Adam.
 *
 * Source: LeCun, Bottou, Bengio & Haffner, Gradient-Based Learning Applied to Document Recognition (1998), §II.B, in the
 * form that today's frameworks teach.
 */

import {
  type Convolution,
  classLoss,
  convolve,
  convolveGradients,
  dense,
  denseGradients,
  maxPool,
  maxPoolGradient,
  type Parameter,
  parameter,
  placesOf,
} from "../hand-written/layers.ts";
import { adam } from "../hand-written/updates.ts";
import { type Run, workload } from "../problem.ts";
import { uniform } from "../seeded.ts";
import { doubledBatch } from "./mlp.ts";

/** A batch of images [batch, 1, 28, 28], their classes, and the network's first parameters. */
export interface LeNet {
  readonly batch: number;
  readonly images: Float32Array;
  readonly classes: Int32Array;
  /** [6, 1, 5, 5] and [16, 6, 5, 5]. */
  readonly kernels: readonly [Float32Array, Float32Array];
  readonly kernelBiases: readonly [Float32Array, Float32Array];
  /** [out, in]; the first takes the planes of the second pool, [16, 5, 5], channel by channel. */
  readonly weights: readonly [Float32Array, Float32Array, Float32Array];
  readonly biases: readonly [Float32Array, Float32Array, Float32Array];
  readonly learningRate: number;
}

/** The sizes of the dense layers, inputs first. */
export const DENSE = [400, 120, 84, 10] as const;

/** The convolutions. */
export const CONVOLUTIONS: readonly [Convolution, Convolution] = [
  { from: 1, to: 6, height: 28, kernel: 5, padding: 2 },
  { from: 6, to: 16, height: 14, kernel: 5, padding: 0 },
];

/** A problem of a batch of images. */
export function leNet(batch: number): LeNet {
  const images = uniform(1, batch * 784).map(Math.abs);
  const classes = doubledBatch(batch, images);
  return {
    ...{ batch, images, classes, learningRate: 1e-3 },
    kernels: [uniform(2, 6 * 25, 25 ** -0.5), uniform(3, 16 * 6 * 25, 150 ** -0.5)],
    kernelBiases: [uniform(4, 6, 0.1), uniform(5, 16, 0.1)],
    weights: [
      uniform(6, 120 * 400, 400 ** -0.5),
      uniform(7, 84 * 120, 120 ** -0.5),
      uniform(8, 10 * 84, 84 ** -0.5),
    ],
    biases: [uniform(9, 120, 0.1), uniform(10, 84, 0.1), uniform(11, 10, 0.1)],
  };
}

export const leNetStep = workload<"lenet">({
  id: "lenet",
  title: "LeNet, 5 × 5 convolutions 6 and 16, dense 120-84-10, Adam, batch 64",
  kind: "lenet",
  problem: () => leNet(64),
  checked: 3,
  tolerance: 1e-3,
});

/** By hand, layer by layer. */
export function leNetByHand(problem: LeNet): Run {
  const { batch, images, classes } = problem;
  const kernels = problem.kernels.map(parameter);
  const kernelBiases = problem.kernelBiases.map(parameter);
  const weights = problem.weights.map(parameter);
  const biases = problem.biases.map(parameter);
  const update = adam([...kernels, ...kernelBiases, ...weights, ...biases], problem.learningRate);
  const blocks = CONVOLUTIONS.map((shape, l) => {
    const size = batch * shape.to * placesOf(shape) ** 2;
    return {
      ...{ shape, kernel: kernels[l] as Parameter, bias: kernelBiases[l] as Parameter },
      ...{ y: new Float32Array(size), dy: new Float32Array(size) },
      ...{ pooled: new Float32Array(size / 4), dpooled: new Float32Array(size / 4) },
      from: new Int32Array(size / 4),
    };
  });
  const layers = DENSE.slice(1).map((n, l) => ({
    ...{ weight: weights[l] as Parameter, bias: biases[l] as Parameter },
    ...{ y: new Float32Array(batch * n), dy: new Float32Array(batch * n) },
  }));
  return {
    step() {
      let x = images;
      for (const { shape, kernel, bias, y, pooled, from } of blocks) {
        convolve(shape, x, kernel.data, bias.data, y);
        rectify(y);
        maxPool(y, placesOf(shape), pooled, from);
        x = pooled;
      }
      for (const { weight, bias, y } of layers) {
        dense(x, weight.data, bias.data, y);
        if (bias.data.length > 10) rectify(y);
        x = y;
      }
      const [last] = layers.slice(-1) as [(typeof layers)[number]];
      const loss = classLoss(x, classes, last.dy);
      const [first, second] = blocks as [(typeof blocks)[number], (typeof blocks)[number]];
      for (let l = layers.length - 1; l >= 0; l--) {
        const { weight, bias, dy } = layers[l] as (typeof layers)[number];
        const below = l === 0 ? second.pooled : (layers[l - 1]?.y as Float32Array);
        const dx = l === 0 ? second.dpooled : (layers[l - 1]?.dy as Float32Array);
        denseGradients(below, weight, bias, dy, dx);
        if (l > 0) mask(dx, below);
      }
      for (const { shape, kernel, bias, y, dy, dpooled, from } of [second, first]) {
        maxPoolGradient(dpooled, from, dy);
        mask(dy, y);
        const below = shape === first.shape ? images : first.pooled;
        convolveGradients(shape, below, kernel, bias, dy, shape === first.shape ? null : first.dpooled);
      }
      update();
      return loss;
    },
  };
}

function rectify(y: Float32Array): void {
  for (let i = 0; i < y.length; i++) if (!((y[i] as number) > 0)) y[i] = 0;
}

/** Clears the cotangent where the rectified output is 0. */
function mask(dy: Float32Array, y: Float32Array): void {
  for (let i = 0; i < dy.length; i++) if (!((y[i] as number) > 0)) dy[i] = 0;
}
