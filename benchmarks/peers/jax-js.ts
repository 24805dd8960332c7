/**
 * jax-js on its WebAssembly backend, every function through `jit`, as its documentation recommends.
 *
 * Its functions take ownership of their arguments; `.ref` keeps one for another use. Results are lazy: a step ends with
 * `blockUntilReady`.
 */

import { CONVOLUTIONS, DENSE } from "../cases/lenet.ts";
import type { Contender, Run } from "../problem.ts";
import { oneHot, transposed } from "./layouts.ts";
import { loadPeer } from "./packages.ts";

/** What is used of a jax-js array. */
interface Arr {
  readonly ref: Arr;
  readonly shape: readonly number[];
  add(other: Arr | number): Arr;
  sub(other: Arr | number): Arr;
  mul(other: Arr | number): Arr;
  div(other: Arr | number): Arr;
  neg(): Arr;
  sum(): Arr;
  mean(): Arr;
  reshape(shape: readonly number[]): Arr;
  item(): number;
  dataSync(): Float32Array;
  dispose(): void;
}

type Tree = Arr | readonly Tree[];
type Loss = (parameters: Arr[], x: Arr, y: Arr) => Arr;

/** What is used of jax-js. */
interface Jax {
  readonly numpy: {
    array(data: Float32Array | number): Arr;
    zerosLike(x: Arr): Arr;
    matmul(a: Arr, b: Arr): Arr;
    sin(x: Arr): Arr;
    tanh(x: Arr): Arr;
    exp(x: Arr): Arr;
    sqrt(x: Arr): Arr;
    square(x: Arr): Arr;
    max(x: Arr, axis: readonly number[]): Arr;
    transpose(x: Arr): Arr;
  };
  readonly nn: { relu(x: Arr): Arr; logSoftmax(x: Arr): Arr };
  readonly lax: {
    convGeneralDilated(x: Arr, kernel: Arr, strides: number[], padding: number[][]): Arr;
  };
  init(device: "wasm"): Promise<string[]>;
  defaultDevice(device: "wasm"): void;
  jit<A extends readonly Tree[], R>(f: (...args: A) => R): (...args: A) => R;
  grad(f: (x: Arr) => Arr): (x: Arr) => Arr;
  valueAndGrad<A extends readonly Tree[], G>(
    f: (...args: A) => Arr,
    options: { readonly argnums: number | readonly number[] },
  ): (...args: A) => [Arr, G];
  blockUntilReady<T extends Tree>(x: T): Promise<T>;
}

/** Loads jax-js and starts its WebAssembly backend. */
export async function jaxJs(): Promise<Contender> {
  const jax = await loadPeer<Jax>("@jax-js/jax");
  await jax.init("wasm");
  jax.defaultDevice("wasm");
  const { numpy: np, nn } = jax;
  const array = (data: Float32Array, shape: readonly number[]) => np.array(data).reshape(shape);

  /** A value with gradients; the operands are kept. */
  const gradientRun = (f: (...args: Arr[]) => Arr, operands: readonly Arr[]): Run => {
    const argnums = operands.map((_, i) => i);
    const both = jax.jit(jax.valueAndGrad<Arr[], Arr[]>(f, { argnums }));
    let gradients: Arr[] = [];
    return {
      async step() {
        for (const gradient of gradients) gradient.dispose();
        const [value, all] = both(...operands.map((x) => x.ref));
        gradients = await jax.blockUntilReady(all);
        return value.item();
      },
      gradients: () => gradients.map((x) => x.ref.dataSync()),
    };
  };

  /** A value alone; the operands are kept. */
  const valueRun = (f: (...args: Arr[]) => Arr, operands: readonly Arr[]): Run => {
    const ready = jax.jit(f);
    return {
      async step() {
        return (await jax.blockUntilReady(ready(...operands.map((x) => x.ref)))).item();
      },
    };
  };

  /** Training steps: the whole step, update included, is one jitted function of the parameters and Adam's averages. */
  const trainingRun = (
    loss: Loss,
    first: readonly Arr[],
    x: Arr,
    y: Arr,
    rule: "sgd" | "adam",
    rate: number,
  ): Run => {
    const both = jax.valueAndGrad<[Arr[], Arr, Arr], Arr[]>(loss, { argnums: 0 });
    const descend = jax.jit((parameters: Arr[], x: Arr, y: Arr): [Arr, Arr[]] => {
      const [value, gradients] = both(
        parameters.map((p) => p.ref),
        x,
        y,
      );
      return [value, parameters.map((p, i) => p.sub((gradients[i] as Arr).mul(rate)))];
    });
    // Kingma & Ba's Algorithm 1, its corrections computed in float64 outside: power(0.999, 1) is 1.2e-5 off in here.
    const adam = jax.jit(
      (
        parameters: Arr[],
        m: Arr[],
        v: Arr[],
        x: Arr,
        y: Arr,
        c1: Arr,
        c2: Arr,
      ): [Arr, Arr[], Arr[], Arr[]] => {
        const [value, gradients] = both(
          parameters.map((p) => p.ref),
          x,
          y,
        );
        const means = m.map((m, i) => m.mul(0.9).add((gradients[i] as Arr).ref.mul(0.1)));
        const squares = v.map((v, i) => v.mul(0.999).add(np.square(gradients[i] as Arr).mul(0.001)));
        const next = parameters.map((p, i) => {
          const scale = np.sqrt((squares[i] as Arr).ref.div(c2.ref)).add(1e-8);
          return p.sub((means[i] as Arr).ref.div(c1.ref).mul(rate).div(scale));
        });
        c1.dispose();
        c2.dispose();
        return [value, next, means, squares];
      },
    );
    let parameters: Arr[] = [...first];
    let m: Arr[] = rule === "adam" ? parameters.map((p) => np.zerosLike(p.ref)) : [];
    let v: Arr[] = rule === "adam" ? parameters.map((p) => np.zerosLike(p.ref)) : [];
    let t = 0;
    return {
      async step() {
        let value: Arr;
        if (rule === "sgd") [value, parameters] = descend(parameters, x.ref, y.ref);
        else {
          t++;
          const [c1, c2] = [np.array(1 - 0.9 ** t), np.array(1 - 0.999 ** t)];
          [value, parameters, m, v] = adam(parameters, m, v, x.ref, y.ref, c1, c2);
        }
        await jax.blockUntilReady([parameters, m, v]);
        return value.item();
      },
    };
  };

  /** Mean cross-entropy with targets as rows of 0 and 1. */
  const crossEntropy = (logits: Arr, targets: Arr): Arr => {
    const batch = targets.shape[0] as number;
    return targets.mul(nn.logSoftmax(logits)).sum().neg().div(batch);
  };

  return {
    tiny({ x, y, z }) {
      const operands = [x, y, z].map((data) => array(data, [2, 2]));
      return gradientRun(
        (x, y, z) =>
          (x as Arr)
            .mul(y as Arr)
            .add(z as Arr)
            .sum(),
        operands,
      );
    },

    mlp(problem) {
      const { sizes, batch, learningRate, optimizer, inputs, targets } = problem;
      const layers = sizes.slice(1).map((n, l) => [n, sizes[l] as number] as const);
      const parameters = [
        ...layers.map(([n, m], l) => array(transposed(problem.weights[l] as Float32Array, n, m), [m, n])),
        ...problem.biases.map((bias) => np.array(bias)),
      ];
      const activate = problem.activation === "tanh" ? np.tanh : nn.relu;
      const loss: Loss = (parameters, x, y) => {
        const h = layers.reduce((h, _, l) => {
          const input = l === 0 ? h : activate(h);
          return np.matmul(input, parameters[l] as Arr).add(parameters[layers.length + l] as Arr);
        }, x);
        return problem.loss === "classes" ? crossEntropy(h, y) : np.square(h.sub(y)).mean();
      };
      const x = array(inputs, [batch, sizes[0] as number]);
      const y = array(targets instanceof Int32Array ? oneHot(targets, 10) : targets, [
        batch,
        sizes.at(-1) as number,
      ]);
      if (!problem.train)
        return valueRun((...all) => loss(all.slice(2), all[0] as Arr, all[1] as Arr), [x, y, ...parameters]);
      return trainingRun(loss, parameters, x, y, optimizer, learningRate);
    },

    lenet(problem) {
      const { batch, images, classes, learningRate } = problem;
      const dense = DENSE.slice(1).map((n, l) => [n, DENSE[l] as number] as const);
      const parameters = [
        ...CONVOLUTIONS.map(({ to, from }, l) => array(problem.kernels[l] as Float32Array, [to, from, 5, 5])),
        ...problem.kernelBiases.map((bias) => array(bias, [bias.length, 1, 1])),
        ...dense.map(([n, m], l) => array(transposed(problem.weights[l] as Float32Array, n, m), [m, n])),
        ...problem.biases.map((bias) => np.array(bias)),
      ];
      const loss: Loss = (p, x, y) => {
        let h = x;
        CONVOLUTIONS.forEach(({ padding }, l) => {
          const around = [padding, padding];
          h = jax.lax.convGeneralDilated(h, p[l] as Arr, [1, 1], [around, around]).add(p[2 + l] as Arr);
          h = nn.relu(h);
          const [n, c, height] = h.shape as [number, number, number];
          h = np.max(h.reshape([n, c, height / 2, 2, height / 2, 2]), [3, 5]);
        });
        h = h.reshape([batch, DENSE[0]]);
        dense.forEach((_, l) => {
          h = np.matmul(l === 0 ? h : nn.relu(h), p[4 + l] as Arr).add(p[7 + l] as Arr);
        });
        return crossEntropy(h, y);
      };
      const [x, y] = [array(images, [batch, 1, 28, 28]), array(oneHot(classes, 10), [batch, 10])];
      return trainingRun(loss, parameters, x, y, "adam", learningRate);
    },

    smooth({ x, gradient }) {
      const f = (x: Arr) => {
        const u = np.sin(x.ref).mul(x.ref);
        return np
          .tanh(u)
          .add(np.exp(np.square(x).neg()))
          .sum();
      };
      return (gradient ? gradientRun : valueRun)(f as (...args: Arr[]) => Arr, [np.array(x)]);
    },

    second({ x }) {
      const f = (x: Arr) => x.ref.mul(np.exp(x)).sum();
      const ready = jax.jit(jax.grad((x: Arr) => jax.grad(f)(x).sum()));
      const at = np.array(x);
      let y: Float32Array = new Float32Array(0);
      return {
        async step() {
          y = (await jax.blockUntilReady(ready(at.ref))).dataSync();
          return y[0] as number;
        },
        gradients: () => [y],
      };
    },

    product({ n, a, b, gradient }) {
      const operands = [a, b].map((data) => array(data, [n, n]));
      if (gradient) return gradientRun((a, b) => nn.relu(np.matmul(a as Arr, b as Arr)).sum(), operands);
      const multiply = jax.jit((a: Arr, b: Arr) => np.matmul(a, b));
      let c: Arr | null = null;
      let data: Float32Array = new Float32Array(0);
      return {
        async step() {
          const [a, b] = operands as [Arr, Arr];
          c = await jax.blockUntilReady(multiply(a.ref, b.ref));
          data = c.dataSync();
          return data[n * n - 1] as number;
        },
        gradients: () => [data],
      };
    },
  };
}
