/**
 * The micrograd demo's training step on a graph of float64 scalars: an MLP 2-16-16-1 with relu on 100 points, hinge loss
 * and an L2 penalty; forward, backward and update.
 *
 * Source: Karpathy, micrograd (2020), demo.ipynb.
 */

import { type Run, workload } from "../problem.ts";
import { sequence } from "../seeded.ts";

/** A network of scalars, points with labels −1 or 1, and how it is trained. */
export interface ScalarGraph {
  readonly sizes: readonly number[];
  readonly points: readonly (readonly number[])[];
  readonly labels: readonly number[];
  /** By layer, output and input. */
  readonly weights: readonly number[][][];
  readonly biases: readonly number[][];
  readonly learningRate: number;
  /** Factor of the sum of squared weights. */
  readonly penalty: number;
}

/** A problem of as many points. */
export function scalarGraph(points: number): ScalarGraph {
  const sizes = [2, 16, 16, 1];
  const [draw, place] = [sequence(1), sequence(2)];
  const layers = sizes.slice(1).map((n, l) => ({ n, m: sizes[l] as number }));
  const chosen = Array.from({ length: points }, () => [place() * 2, place() * 2] as const);
  return {
    ...{ sizes, points: chosen, labels: chosen.map(([x, y]) => (x * x + y * y < 2 ? 1 : -1)) },
    weights: layers.map(({ n, m }) =>
      Array.from({ length: n }, () => Array.from({ length: m }, () => draw() * m ** -0.5)),
    ),
    biases: layers.map(({ n }) => new Array<number>(n).fill(0)),
    ...{ learningRate: 0.01, penalty: 1e-4 },
  };
}

/** What a scalar engine must offer to run the step. */
export interface GraphScalar<S> {
  add(other: S | number): S;
  mul(other: S | number): S;
  relu(): S;
}

/** A network whose parameters are an engine's scalars. */
export interface ScalarNetwork<S> {
  readonly weights: S[][][];
  readonly biases: S[][];
}

/** The problem's first parameters as an engine's scalars. */
export function makeNetwork<S>(problem: ScalarGraph, leaf: (x: number) => S): ScalarNetwork<S> {
  return {
    weights: problem.weights.map((layer) => layer.map((row) => row.map(leaf))),
    biases: problem.biases.map((layer) => layer.map(leaf)),
  };
}

/** All parameters of a network. */
export function leavesOf<S>({ weights, biases }: ScalarNetwork<S>): S[] {
  return [...weights.flat(2), ...biases.flat()];
}

/** The loss, one operation of a scalar after another. */
export function lossOf<S extends GraphScalar<S>>(problem: ScalarGraph, network: ScalarNetwork<S>): S {
  const { weights, biases } = network;
  const last = weights.length - 1;
  let total: S | null = null;
  problem.points.forEach((point, p) => {
    let h: readonly (S | number)[] = point;
    weights.forEach((rows, l) => {
      h = rows.map((row, i) => {
        let sum = biases[l]?.[i] as S;
        for (let j = 0; j < row.length; j++) sum = sum.add((row[j] as S).mul(h[j] as S | number));
        return l === last ? sum : sum.relu();
      });
    });
    const margin = (h[0] as S)
      .mul(-(problem.labels[p] as number))
      .add(1)
      .relu();
    total = total === null ? margin : total.add(margin);
  });
  const squares = weights.flat(2).map((w) => w.mul(w));
  const penalty = squares.slice(1).reduce((sum, square) => sum.add(square), squares[0] as S);
  return (total as unknown as S).mul(1 / problem.points.length).add(penalty.mul(problem.penalty));
}

/** How many operations the loss takes. */
export function countOperations(problem: ScalarGraph): number {
  let count = 0;
  const tick = () => {
    count++;
    return counter;
  };
  const counter: GraphScalar<never> = { add: tick, mul: tick, relu: tick } as never;
  lossOf(
    problem,
    makeNetwork(problem, () => counter as never),
  );
  return count;
}

export const scalarGraphStep = workload<"scalarGraph">({
  id: "scalar-graph",
  title: "micrograd's step: MLP 2-16-16-1 of float64 scalars, 100 points, hinge loss",
  kind: "scalarGraph",
  problem: () => scalarGraph(100),
  checked: 3,
  tolerance: 1e-9,
  operations: countOperations(scalarGraph(100)),
});

/** By hand: float64 loops, the least that a program without vectors has to do. */
export function scalarGraphByHand(problem: ScalarGraph): Run {
  const { sizes, points, labels, learningRate, penalty } = problem;
  const layers = problem.weights.map((rows, l) => {
    const [w, b] = [Float64Array.from(rows.flat()), Float64Array.from(problem.biases[l] as number[])];
    return { w, b, dw: new Float64Array(w.length), db: new Float64Array(b.length) };
  });
  const h = sizes.map((n) => new Float64Array(n));
  const dh = sizes.map((n) => new Float64Array(n));
  const [output, doutput] = [h.at(-1) as Float64Array, dh.at(-1) as Float64Array];
  const forward = () => {
    layers.forEach(({ w, b }, l) => {
      const [x, y] = [h[l] as Float64Array, h[l + 1] as Float64Array];
      for (let i = 0; i < y.length; i++) {
        let sum = b[i] as number;
        for (let j = 0; j < x.length; j++) sum += (w[i * x.length + j] as number) * (x[j] as number);
        y[i] = l === layers.length - 1 ? sum : Math.max(sum, 0);
      }
    });
  };
  const backward = () => {
    for (let l = layers.length - 1; l >= 0; l--) {
      const { w, dw, db } = layers[l] as (typeof layers)[number];
      const [x, dx] = [h[l] as Float64Array, dh[l] as Float64Array];
      const [y, dy] = [h[l + 1] as Float64Array, dh[l + 1] as Float64Array];
      dx.fill(0);
      for (let i = 0; i < dy.length; i++) {
        if (l < layers.length - 1 && !((y[i] as number) > 0)) continue;
        const d = dy[i] as number;
        db[i] = (db[i] as number) + d;
        for (let j = 0; j < x.length; j++) {
          const at = i * x.length + j;
          dw[at] = (dw[at] as number) + d * (x[j] as number);
          if (l > 0) dx[j] = (dx[j] as number) + d * (w[at] as number);
        }
      }
    }
  };
  return {
    step() {
      let loss = 0;
      for (const { dw, db } of layers) {
        dw.fill(0);
        db.fill(0);
      }
      for (let p = 0; p < points.length; p++) {
        (h[0] as Float64Array).set(points[p] as readonly number[]);
        forward();
        const label = labels[p] as number;
        const margin = 1 - label * (output[0] as number);
        if (margin <= 0) continue;
        loss += margin / points.length;
        doutput[0] = -label / points.length;
        backward();
      }
      for (const { w, b, dw, db } of layers) {
        for (let k = 0; k < w.length; k++) {
          const x = w[k] as number;
          loss += penalty * x * x;
          w[k] = x - learningRate * ((dw[k] as number) + 2 * penalty * x);
        }
        for (let k = 0; k < b.length; k++) b[k] = (b[k] as number) - learningRate * (db[k] as number);
      }
      return loss;
    },
  };
}
