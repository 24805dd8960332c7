/**
 * js-pytorch, an engine of tensors as nested arrays.
 *
 * Its own ReLU lets a thousandth of negative numbers through, its Adam lacks the correction of the averages, and its mean
 * squared error is divided by the batch twice; the three are written here with its operations, as near to its own sources
 * as gives the right answers. It has no sine and no convolution.
 */

import type { Contender, Run } from "../problem.ts";
import { transposed } from "./layouts.ts";
import { loadPeer } from "./packages.ts";

/** Nested arrays of numbers. */
type Nested = readonly (number | Nested)[];

/** The numbers in nested arrays, in order. */
function flatten(nested: Nested): number[] {
  return nested.flatMap((entry) => (typeof entry === "number" ? [entry] : flatten(entry)));
}

/** What is used of a tensor. */
interface Tensor {
  _data: Nested;
  m: Tensor;
  v: Tensor;
  readonly data: Nested;
  readonly grad: Nested;
  readonly _grad: Tensor;
  readonly shape: readonly number[];
  add(other: Tensor | number): Tensor;
  sub(other: Tensor | number): Tensor;
  mul(other: Tensor | number): Tensor;
  div(other: Tensor | number): Tensor;
  neg(): Tensor;
  pow(n: number): Tensor;
  sqrt(): Tensor;
  matmul(other: Tensor): Tensor;
  sum(axis?: number): Tensor;
  backward(): void;
  zero_grad(): void;
}

/** What is used of js-pytorch. */
interface Torch {
  tensor(data: Nested, requiresGrad?: boolean): Tensor;
  zeros(shape: readonly number[]): Tensor;
  exp(x: Tensor): Tensor;
  readonly nn: {
    readonly CrossEntropyLoss: new () => { forward(logits: Tensor, classes: Tensor): Tensor };
  };
}

/** Loads js-pytorch. */
export async function jsPyTorch(): Promise<Contender> {
  const { torch } = await loadPeer<{ torch: Torch }>("js-pytorch");

  /** relu by a mask, as its own layer makes it but for the thousandth. */
  const relu = (x: Tensor): Tensor => x.mul(torch.tensor(mask(x.data)));

  /** It has no tanh: (e²ˣ − 1)/(e²ˣ + 1). */
  const tanh = (x: Tensor): Tensor => {
    const square = torch.exp(x.mul(2));
    return square.add(-1).div(square.add(1));
  };

  /** Kingma & Ba's Algorithm 1 on its tensors. */
  const adam = (parameters: readonly Tensor[], rate: number) => {
    for (const p of parameters) {
      p.m = torch.zeros(p.shape);
      p.v = torch.zeros(p.shape);
    }
    let t = 0;
    return () => {
      t++;
      const [c1, c2] = [1 - 0.9 ** t, 1 - 0.999 ** t];
      for (const p of parameters) {
        const g = torch.tensor(p.grad);
        p.m = p.m.mul(0.9).add(g.mul(0.1));
        p.v = p.v.mul(0.999).add(g.pow(2).mul(0.001));
        const change = p.m.mul(rate / c1).div(p.v.div(c2).sqrt().add(1e-8));
        p._data = torch.tensor(p._data).sub(change)._data;
      }
    };
  };

  const sgd = (parameters: readonly Tensor[], rate: number) => () => {
    for (const p of parameters) p._data = torch.tensor(p._data).sub(torch.tensor(p.grad).mul(rate))._data;
  };

  const gradientRun = (f: (...args: Tensor[]) => Tensor, operands: readonly Tensor[]): Run => ({
    step() {
      for (const x of operands) x.zero_grad();
      const value = f(...operands);
      value.backward();
      return first(value.data);
    },
    gradients: () => operands.map(({ grad }) => flatten(grad)),
  });

  return {
    tiny({ x, y, z }) {
      const operands = [x, y, z].map((data) => torch.tensor(rows(data, 2), true));
      return gradientRun(
        (x, y, z) =>
          (x as Tensor)
            .mul(y as Tensor)
            .add(z as Tensor)
            .sum(0)
            .sum(0),
        operands,
      );
    },

    mlp(problem) {
      const { sizes, inputs, targets, learningRate } = problem;
      const layers = sizes.slice(1).map((n, l) => [n, sizes[l] as number] as const);
      const weights = layers.map(([n, m], l) =>
        torch.tensor(rows(transposed(problem.weights[l] as Float32Array, n, m), n), true),
      );
      const biases = problem.biases.map((bias) => torch.tensor([...bias], true));
      const parameters = [...weights, ...biases];
      const x = torch.tensor(rows(inputs, sizes[0] as number));
      const byClass = problem.loss === "classes";
      const y = torch.tensor(byClass ? [...targets] : rows(targets as Float32Array, sizes.at(-1) as number));
      const crossEntropy = new torch.nn.CrossEntropyLoss();
      const activate = problem.activation === "tanh" ? tanh : relu;
      const loss = () => {
        const h = weights.reduce((h, weight, l) => {
          return (l === 0 ? h : activate(h)).matmul(weight).add(biases[l] as Tensor);
        }, x);
        return byClass ? crossEntropy.forward(h, y) : h.sub(y).pow(2).sum(0).sum(0).div(targets.length);
      };
      const update = (problem.optimizer === "adam" ? adam : sgd)(parameters, learningRate);
      return {
        step() {
          for (const p of parameters) p.zero_grad();
          const value = loss();
          if (!problem.train) return first(value.data);
          value.backward();
          update();
          return first(value.data);
        },
      };
    },

    product({ n, a, b, gradient }) {
      const operands = [a, b].map((data) => torch.tensor(rows(data, n), gradient));
      const [left, right] = operands as [Tensor, Tensor];
      if (gradient)
        return gradientRun(
          (a, b) =>
            relu((a as Tensor).matmul(b as Tensor))
              .sum(0)
              .sum(0),
          operands,
        );
      let c: number[] = [];
      return {
        step() {
          const result = left.matmul(right);
          c = flatten(result.data);
          return c.at(-1) as number;
        },
        gradients: () => [c],
      };
    },
  };
}

/** [n, size] as an array of rows. */
function rows(data: Float32Array, size: number): number[][] {
  return Array.from({ length: data.length / size }, (_, i) => [...data.subarray(i * size, (i + 1) * size)]);
}

/** 1 where an element is positive, 0 elsewhere. */
function mask(x: Nested): Nested {
  return x.map((one) => (typeof one === "number" ? (one > 0 ? 1 : 0) : mask(one)));
}

/** The number of a scalar, however deep it lies. */
function first(x: Nested | number): number {
  return typeof x === "number" ? x : first(x[0] as Nested | number);
}
