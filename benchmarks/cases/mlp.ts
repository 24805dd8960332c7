/** Training steps of multilayer perceptrons. */

import {
  classLoss,
  dense,
  denseGradients,
  type Parameter,
  parameter,
  squaredLoss,
} from "../hand-written/layers.ts";
import { adam, sgd } from "../hand-written/updates.ts";
import { type Run, workload } from "../problem.ts";
import { uniform } from "../seeded.ts";

/** A network, a batch for it, and how it is trained. */
export interface Mlp {
  readonly sizes: readonly number[];
  readonly activation: "tanh" | "relu";
  /** Mean squared error with numbers as targets, or mean cross-entropy of softmax with classes. */
  readonly loss: "squared" | "classes";
  readonly optimizer: "sgd" | "adam";
  readonly learningRate: number;
  readonly batch: number;
  /** [batch, sizes[0]]. */
  readonly inputs: Float32Array;
  /** [batch, sizes.at(-1)], or [batch] classes. */
  readonly targets: Float32Array | Int32Array;
  /** [out, in] a layer. */
  readonly weights: readonly Float32Array[];
  readonly biases: readonly Float32Array[];
  /** False asks for the loss alone. */
  readonly train: boolean;
}

/**
 * Labels of a batch, and the inputs made to fit: its second half repeats the first half's inputs under other labels, so
 * that no network learns the batch by heart and no gradient dwindles to subnormal numbers, which are slow.
 */
export function doubledBatch(batch: number, inputs: Float32Array): Int32Array {
  inputs.copyWithin(inputs.length / 2, 0, inputs.length / 2);
  return Int32Array.from({ length: batch }, (_, i) => (i < batch / 2 ? i % 10 : (i + 3) % 10));
}

/** A classifier of images with relu and Adam. */
export function classifier(sizes: readonly number[], batch: number): Mlp {
  const inputs = uniform(1, batch * (sizes[0] as number)).map(Math.abs);
  const targets = doubledBatch(batch, inputs);
  return {
    ...{ sizes, activation: "relu", loss: "classes", optimizer: "adam", learningRate: 1e-3, batch },
    ...{ inputs, targets, ...firstWeights(sizes), train: true },
  };
}

/** A small regression with tanh and plain descent. */
export function regression(batch: number, train: boolean): Mlp {
  const sizes = [2, 16, 16, 1];
  const inputs = uniform(1, batch * 2, 2);
  const targets = Float32Array.from({ length: batch }, (_, i) => {
    return Math.sin((inputs[2 * i] as number) * (inputs[2 * i + 1] as number));
  });
  return {
    ...{ sizes, activation: "tanh", loss: "squared", optimizer: "sgd", learningRate: 0.05, batch },
    ...{ inputs, targets, ...firstWeights(sizes), train },
  };
}

function firstWeights(sizes: readonly number[]) {
  const fanIns = sizes.slice(0, -1);
  return {
    weights: fanIns.map((m, l) => uniform(10 + l, m * (sizes[l + 1] as number), m ** -0.5)),
    biases: sizes.slice(1).map((n, l) => uniform(20 + l, n, 0.1)),
  };
}

/** Floating-point operations of the products in a step: forward, and backward but for the inputs' cotangent. */
function stepFlops(sizes: readonly number[], batch: number): number {
  const products = sizes.slice(1).map((n, l) => 2 * batch * n * (sizes[l] as number));
  return products.reduce((sum, flops, l) => sum + (l === 0 ? 2 : 3) * flops, 0);
}

export const regressionLoss = workload<"mlp">({
  id: "regression-value",
  title: "MLP 2-16-16-1, tanh, batch 100, squared error, loss alone",
  kind: "mlp",
  problem: () => regression(100, false),
  checked: 1,
  tolerance: 1e-4,
});

export const regressionStep = workload<"mlp">({
  id: "regression",
  title: "MLP 2-16-16-1, tanh, batch 100, squared error, SGD",
  kind: "mlp",
  problem: () => regression(100, true),
  checked: 5,
  tolerance: 1e-4,
  value: "regression-value",
});

function mnist(batch: number) {
  const sizes = [784, 128, 10];
  return workload<"mlp">({
    id: `mnist-${batch}`,
    title: `MLP 784-128-10, relu, softmax cross-entropy, Adam, batch ${batch}`,
    kind: "mlp",
    problem: () => classifier(sizes, batch),
    checked: 5,
    tolerance: 1e-3,
    flops: stepFlops(sizes, batch),
  });
}

export const mnistSteps = [mnist(32), mnist(128)];

const wide = [784, 1024, 1024, 10];

export const wideStep = workload<"mlp">({
  id: "wide",
  title: "MLP 784-1024-1024-10, relu, softmax cross-entropy, Adam, batch 256",
  kind: "mlp",
  problem: () => classifier(wide, 256),
  checked: 2,
  tolerance: 1e-3,
  flops: stepFlops(wide, 256),
});

/** By hand, layer by layer. */
export function mlpByHand(problem: Mlp): Run {
  const { sizes, batch, inputs, targets, learningRate, train } = problem;
  const weights = problem.weights.map(parameter);
  const biases = problem.biases.map(parameter);
  const outputs = sizes.slice(1).map((n) => new Float32Array(batch * n));
  const cotangents = sizes.slice(1).map((n) => new Float32Array(batch * n));
  const update = (problem.optimizer === "adam" ? adam : sgd)([...weights, ...biases], learningRate);
  const tanh = problem.activation === "tanh";
  const last = sizes.length - 2;
  return {
    step() {
      let x = inputs;
      for (let l = 0; l <= last; l++) {
        const y = outputs[l] as Float32Array;
        dense(x, (weights[l] as Parameter).data, (biases[l] as Parameter).data, y);
        if (l < last) for (let i = 0; i < y.length; i++) y[i] = activate(y[i] as number, tanh);
        x = y;
      }
      const dlogits = cotangents[last] as Float32Array;
      const loss =
        targets instanceof Int32Array ? classLoss(x, targets, dlogits) : squaredLoss(x, targets, dlogits);
      if (!train) return loss;
      for (let l = last; l >= 0; l--) {
        const below = l === 0 ? inputs : (outputs[l - 1] as Float32Array);
        const dx = l === 0 ? null : (cotangents[l - 1] as Float32Array);
        denseGradients(
          below,
          weights[l] as Parameter,
          biases[l] as Parameter,
          cotangents[l] as Float32Array,
          dx,
        );
        if (dx === null) break;
        for (let i = 0; i < dx.length; i++) {
          const y = below[i] as number;
          dx[i] = (dx[i] as number) * (tanh ? 1 - y * y : y > 0 ? 1 : 0);
        }
      }
      update();
      return loss;
    },
  };
}

function activate(x: number, tanh: boolean): number {
  return tanh ? Math.tanh(x) : Math.max(x, 0);
}
