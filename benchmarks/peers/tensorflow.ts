/** TensorFlow.js on its cpu or wasm backend, as its guides write it: variables, `optimizer.minimize`, `tidy`. */

import { CONVOLUTIONS, DENSE } from "../cases/lenet.ts";
import type { Contender, Run } from "../problem.ts";
import { oneHot, transposed } from "./layouts.ts";
import { loadPeer } from "./packages.ts";

/** What is used of a tensor. */
interface Tensor {
  dataSync(): Float32Array;
  dispose(): void;
}

interface Optimizer {
  minimize(f: () => Tensor, returnCost: true, variables: readonly Tensor[]): Tensor;
}

/** What is used of TensorFlow.js. */
interface TensorFlow {
  tensor(data: Float32Array, shape: readonly number[]): Tensor;
  add(a: Tensor, b: Tensor): Tensor;
  mul(a: Tensor, b: Tensor): Tensor;
  matMul(a: Tensor, b: Tensor): Tensor;
  sum(x: Tensor): Tensor;
  relu(x: Tensor): Tensor;
  tanh(x: Tensor): Tensor;
  sin(x: Tensor): Tensor;
  square(x: Tensor): Tensor;
  neg(x: Tensor): Tensor;
  exp(x: Tensor): Tensor;
  reshape(x: Tensor, shape: readonly number[]): Tensor;
  conv2d(x: Tensor, filter: Tensor, strides: number, padding: "same" | "valid"): Tensor;
  maxPool(x: Tensor, window: number, strides: number, padding: "valid"): Tensor;
  variable(first: Tensor): Tensor;
  tidy<T>(f: () => T): T;
  dispose(tensors: readonly Tensor[]): void;
  grad(f: (x: Tensor) => Tensor): (x: Tensor) => Tensor;
  valueAndGrads(
    f: (...args: Tensor[]) => Tensor,
  ): (args: readonly Tensor[]) => { readonly value: Tensor; readonly grads: readonly Tensor[] };
  readonly losses: {
    softmaxCrossEntropy(targets: Tensor, logits: Tensor): Tensor;
    meanSquaredError(targets: Tensor, predictions: Tensor): Tensor;
  };
  readonly train: {
    sgd(learningRate: number): Optimizer;
    adam(learningRate: number, beta1: number, beta2: number, epsilon: number): Optimizer;
  };
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
}

/** Loads TensorFlow.js with one backend, on one thread. */
export async function tensorFlow(backend: "cpu" | "wasm"): Promise<Contender> {
  const tf = await loadPeer<TensorFlow>("@tensorflow/tfjs");
  if (backend === "wasm") {
    const engine = await loadPeer<{ setThreadsCount(threads: number): void }>(
      "@tensorflow/tfjs-backend-wasm",
    );
    engine.setThreadsCount(1);
  }
  if (!(await tf.setBackend(backend))) throw new Error(`backend ${backend} does not start`);
  await tf.ready();

  /** Reads a scalar and lets it go. */
  const read = (x: Tensor): number => {
    const value = x.dataSync()[0] as number;
    x.dispose();
    return value;
  };

  const gradientRun = (f: (...args: Tensor[]) => Tensor, operands: readonly Tensor[]): Run => {
    const both = tf.valueAndGrads(f);
    let gradients: readonly Tensor[] = [];
    return {
      step() {
        tf.dispose(gradients);
        const { value, grads } = both(operands);
        gradients = grads;
        return read(value);
      },
      gradients: () => gradients.map((x) => x.dataSync()),
    };
  };

  const valueRun = (f: () => Tensor): Run => ({ step: () => read(tf.tidy(f)) });

  const trainingRun = (loss: () => Tensor, variables: Tensor[], rule: "sgd" | "adam", rate: number): Run => {
    const optimizer = rule === "adam" ? tf.train.adam(rate, 0.9, 0.999, 1e-8) : tf.train.sgd(rate);
    return { step: () => read(optimizer.minimize(loss, true, variables)) };
  };

  /** Dense layers' variables, weights [in, out] first. */
  const denseVariables = (
    sizes: readonly number[],
    weights: readonly Float32Array[],
    biases: readonly Float32Array[],
  ) => {
    const shapes = sizes.slice(1).map((n, l) => [n, sizes[l] as number] as const);
    return {
      matrices: shapes.map(([n, m], l) =>
        tf.variable(tf.tensor(transposed(weights[l] as Float32Array, n, m), [m, n])),
      ),
      shifts: biases.map((bias) => tf.variable(tf.tensor(bias, [bias.length]))),
    };
  };

  return {
    tiny({ x, y, z }) {
      const operands = [x, y, z].map((data) => tf.tensor(data, [2, 2]));
      return gradientRun(
        (x, y, z) => tf.sum(tf.add(tf.mul(x as Tensor, y as Tensor), z as Tensor)),
        operands,
      );
    },

    mlp(problem) {
      const { sizes, batch, inputs, targets, activation } = problem;
      const { matrices, shifts } = denseVariables(sizes, problem.weights, problem.biases);
      const x = tf.tensor(inputs, [batch, sizes[0] as number]);
      const outputs = sizes.at(-1) as number;
      const y = tf.tensor(targets instanceof Int32Array ? oneHot(targets, outputs) : targets, [
        batch,
        outputs,
      ]);
      const loss = () => {
        const h = matrices.reduce((h, weight, l) => {
          const input = l === 0 ? h : activation === "tanh" ? tf.tanh(h) : tf.relu(h);
          return tf.add(tf.matMul(input, weight), shifts[l] as Tensor);
        }, x);
        return problem.loss === "classes"
          ? tf.losses.softmaxCrossEntropy(y, h)
          : tf.losses.meanSquaredError(y, h);
      };
      if (!problem.train) return valueRun(loss);
      return trainingRun(loss, [...matrices, ...shifts], problem.optimizer, problem.learningRate);
    },

    lenet(problem) {
      const { batch, images, classes, learningRate } = problem;
      const filters = CONVOLUTIONS.map(({ to, from }, l) =>
        tf.variable(
          tf.tensor(channelsLast(problem.kernels[l] as Float32Array, to, from, 25), [5, 5, from, to]),
        ),
      );
      const offsets = problem.kernelBiases.map((bias) => tf.variable(tf.tensor(bias, [bias.length])));
      const [first, ...others] = problem.weights;
      // Planes come with channels last here, so the first dense layer's columns stand in another order.
      const flattened = planesLast(first, 120, 16, 25);
      const { matrices, shifts } = denseVariables(DENSE, [flattened, ...others], problem.biases);
      const x = tf.tensor(images, [batch, 28, 28, 1]);
      const y = tf.tensor(oneHot(classes, 10), [batch, 10]);
      const loss = () => {
        let h = x;
        CONVOLUTIONS.forEach(({ padding }, l) => {
          const around = padding === 2 ? "same" : "valid";
          h = tf.relu(tf.add(tf.conv2d(h, filters[l] as Tensor, 1, around), offsets[l] as Tensor));
          h = tf.maxPool(h, 2, 2, "valid");
        });
        h = tf.reshape(h, [batch, DENSE[0]]);
        matrices.forEach((weight, l) => {
          h = tf.add(tf.matMul(l === 0 ? h : tf.relu(h), weight), shifts[l] as Tensor);
        });
        return tf.losses.softmaxCrossEntropy(y, h);
      };
      return trainingRun(loss, [...filters, ...offsets, ...matrices, ...shifts], "adam", learningRate);
    },

    smooth({ x, gradient }) {
      const at = tf.tensor(x, [x.length]);
      const f = (x: Tensor) => tf.sum(tf.add(tf.tanh(tf.mul(tf.sin(x), x)), tf.exp(tf.neg(tf.square(x)))));
      return gradient ? gradientRun(f as (...args: Tensor[]) => Tensor, [at]) : valueRun(() => f(at));
    },

    second({ x }) {
      const at = tf.tensor(x, [x.length]);
      const f = (x: Tensor) => tf.sum(tf.mul(x, tf.exp(x)));
      const second = tf.grad((x) => tf.sum(tf.grad(f)(x)));
      let y: Float32Array = new Float32Array(0);
      return {
        step() {
          const result = tf.tidy(() => second(at));
          y = result.dataSync();
          result.dispose();
          return y[0] as number;
        },
        gradients: () => [y],
      };
    },

    product({ n, a, b, gradient }) {
      const operands = [a, b].map((data) => tf.tensor(data, [n, n]));
      const [left, right] = operands as [Tensor, Tensor];
      if (gradient)
        return gradientRun((a, b) => tf.sum(tf.relu(tf.matMul(a as Tensor, b as Tensor))), operands);
      let data: Float32Array = new Float32Array(0);
      return {
        step() {
          const c = tf.matMul(left, right);
          data = c.dataSync();
          c.dispose();
          return data[n * n - 1] as number;
        },
        gradients: () => [data],
      };
    },
  };
}

/** Kernels [to, from, place] as [place, from, to]. */
function channelsLast(kernels: Float32Array, to: number, from: number, places: number): Float32Array {
  return Float32Array.from({ length: kernels.length }, (_, i) => {
    const [o, c, place] = [i % to, Math.floor(i / to) % from, Math.floor(i / (to * from))];
    return kernels[(o * from + c) * places + place] as number;
  });
}

/** Columns of rows [channel, place] as [place, channel]. */
function planesLast(weight: Float32Array, rows: number, channels: number, places: number): Float32Array {
  const size = channels * places;
  return Float32Array.from({ length: rows * size }, (_, i) => {
    const [row, column] = [Math.floor(i / size), i % size];
    return weight[row * size + (column % channels) * places + Math.floor(column / channels)] as number;
  });
}
