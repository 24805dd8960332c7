/** Adjoint, eager or compiled: each kind of work as its documentation would write it. */

import {
  conv2d,
  exp,
  grad,
  matmul,
  maxPool,
  mul,
  neg,
  parameter,
  relu,
  reshape,
  sin,
  square,
  sum,
  tanh,
  type Value,
  value,
  valueAndGrad,
} from "@adjoint/core";
import { Adam, MLP, meanSquaredError, type Optimizer, SGD, softmaxCrossEntropy } from "@adjoint/nn";
import { chain } from "../cases/chain.ts";
import { CONVOLUTIONS, DENSE, type LeNet } from "../cases/lenet.ts";
import { leavesOf, lossOf, makeNetwork } from "../cases/scalar-graph.ts";
import type { Contender, Run } from "../problem.ts";

/** What is done to a function before it is timed: nothing, or compiling it. */
export type Prepare = <A extends Value[], R>(f: (...args: A) => R) => (...args: A) => R;

type Gradients = [value: Value, gradients: Value[]];

/** A function of given operands as a run, its value read after each step. */
function valueRun(f: (...args: Value[]) => Value, operands: readonly Value[]): Run {
  return { step: () => f(...operands).item() };
}

/** The same for a value with gradients. */
function gradientRun(f: (...args: Value[]) => Gradients, operands: readonly Value[]): Run {
  let gradients: readonly Value[] = [];
  return {
    step() {
      const [result, all] = f(...operands);
      gradients = all;
      return result.item();
    },
    gradients: () => gradients.map((x) => x.data),
  };
}

/** A training step on a batch: clear, forward, backward, update. */
function trainingRun(prepare: Prepare, optimizer: Optimizer, loss: Loss, x: Value, targets: Value): Run {
  const step = prepare((x: Value, targets: Value) => {
    optimizer.zeroGrad();
    const result = loss(x, targets);
    result.backward();
    optimizer.step();
    return result;
  });
  return { step: () => step(x, targets).item() };
}

type Loss = (x: Value, targets: Value) => Value;

/** LeNet's logits of images, and its parameters. */
function leNet({ kernels, kernelBiases, weights, biases }: LeNet) {
  const filters = CONVOLUTIONS.map(({ to, from, kernel }, l) =>
    parameter(kernels[l] as Float32Array, { shape: [to, from, kernel, kernel] }),
  );
  const shifts = kernelBiases.map((bias) => parameter(bias));
  const matrices = DENSE.slice(1).map((n, l) =>
    parameter(weights[l] as Float32Array, { shape: [n, DENSE[l] as number] }),
  );
  const offsets = biases.map((bias) => parameter(bias));
  const forward = (images: Value): Value => {
    let h = images;
    CONVOLUTIONS.forEach(({ padding }, l) => {
      h = maxPool(relu(conv2d(h, filters[l] as Value, { padding, bias: shifts[l] as Value })), 2);
    });
    h = reshape(h, [images.shape[0] as number, DENSE[0]]);
    matrices.forEach((weight, l) => {
      h = matmul(l === 0 ? h : relu(h), weight, { transposeB: true }).add(offsets[l] as Value);
    });
    return h;
  };
  return { forward, parameters: [...filters, ...shifts, ...matrices, ...offsets] };
}

/** Adjoint, its functions prepared by `prepare`. */
export function adjoint(prepare: Prepare): Contender {
  return {
    tiny({ x, y, z }) {
      const f = valueAndGrad((x: Value, y: Value, z: Value) => sum(mul(x, y).add(z)), { argnums: [0, 1, 2] });
      const operands = [x, y, z].map((data) => value(data, { shape: [2, 2] }));
      return gradientRun(prepare(f as (...args: Value[]) => Gradients), operands);
    },

    mlp(problem) {
      const { sizes, activation, batch, learningRate } = problem;
      const model = new MLP(sizes, { activation });
      model.layers.forEach(({ weight, bias }, l) => {
        weight.assign(value(problem.weights[l] as Float32Array, { shape: weight.shape }));
        bias?.assign(value(problem.biases[l] as Float32Array));
      });
      const x = value(problem.inputs, { shape: [batch, sizes[0] as number] });
      const byClass = problem.loss === "classes";
      const shape = byClass ? [batch] : [batch, sizes.at(-1) as number];
      const targets = value(problem.targets, { shape });
      const loss: Loss = (x, targets) =>
        (byClass ? softmaxCrossEntropy : meanSquaredError)(model.forward(x), targets);
      if (!problem.train) return valueRun(prepare(loss) as (...args: Value[]) => Value, [x, targets]);
      const Rule = problem.optimizer === "adam" ? Adam : SGD;
      return trainingRun(prepare, new Rule(model.parameters(), { learningRate }), loss, x, targets);
    },

    lenet(problem) {
      const { forward, parameters } = leNet(problem);
      const optimizer = new Adam(parameters, { learningRate: problem.learningRate });
      const images = value(problem.images, { shape: [problem.batch, 1, 28, 28] });
      const loss: Loss = (x, targets) => softmaxCrossEntropy(forward(x), targets);
      return trainingRun(prepare, optimizer, loss, images, value(problem.classes));
    },

    smooth({ x, gradient }) {
      const f = (x: Value) => sum(tanh(mul(sin(x), x)).add(exp(neg(square(x)))));
      if (!gradient) return valueRun(prepare(f), [value(x)]);
      return gradientRun(prepare(valueAndGrad(f, { argnums: [0] }) as (x: Value) => Gradients), [value(x)]);
    },

    second({ x }) {
      const f = (x: Value) => sum(mul(x, exp(x)));
      const ready = prepare(grad((x: Value) => sum(grad(f)(x))) as (x: Value) => Value);
      const at = value(x);
      let y: ArrayLike<number> = [];
      return {
        step() {
          y = ready(at).data;
          return y[0] as number;
        },
        gradients: () => [y],
      };
    },

    product({ n, a, b, gradient }) {
      const operands = [a, b].map((data) => value(data, { shape: [n, n] }));
      if (!gradient) {
        const multiply = prepare(matmul as (a: Value, b: Value) => Value);
        let c: ArrayLike<number> = [];
        return {
          step() {
            c = multiply(operands[0] as Value, operands[1] as Value).data;
            return c[n * n - 1] as number;
          },
          gradients: () => [c],
        };
      }
      const f = valueAndGrad((a: Value, b: Value) => sum(relu(matmul(a, b))), { argnums: [0, 1] });
      return gradientRun(prepare(f as (...args: Value[]) => Gradients), operands);
    },

    scalarGraph(problem) {
      const network = makeNetwork(problem, (x) => parameter(x));
      const leaves = leavesOf<Value>(network);
      const step = prepare(() => {
        for (const leaf of leaves) leaf.grad = null;
        const loss = lossOf(problem, network);
        loss.backward();
        for (const leaf of leaves) {
          if (leaf.grad !== null) leaf.assign(leaf.sub(leaf.grad.mul(problem.learningRate)));
        }
        return loss;
      });
      return { step: () => step().item() };
    },

    chain({ length, repeats, x, y }) {
      const f = valueAndGrad((x: Value, y: Value) => chain<Value>(x, y, length), { argnums: [0, 1] });
      const ready = prepare(f as (x: Value, y: Value) => Gradients);
      const run = gradientRun(ready as (...args: Value[]) => Gradients, [value(x), value(y)]);
      return {
        ...run,
        step() {
          let result = 0;
          for (let r = 0; r < repeats; r++) result = run.step() as number;
          return result;
        },
      };
    },
  };
}
