/**
 * The micrograd demo's training step on a graph of scalars: an MLP 2-16-16-1 with relu on 100 points, hinge loss and
 * an L2 penalty; forward, backward and update.
 *
 * Source: Karpathy, micrograd (2020), demo.ipynb.
 */

import { parameter, type Value } from "@adjoint/core";
import { ClosureValue } from "../peers/closures.ts";

/** What a scalar engine must offer to run the step. */
interface Scalar<S> {
  add(other: S | number): S;
  mul(other: S | number): S;
  relu(): S;
}

const SIZES = [2, 16, 16, 1];
const POINTS = 100;
const RATE = 0.01;

/** Pseudo-random numbers in (−1, 1), the same for every contender. */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2147483648;
  };
}

interface Network<S> {
  readonly weights: S[][][];
  readonly biases: S[][];
}

function makeNetwork<S>(leaf: (x: number) => S): Network<S> {
  const draw = sequence(1);
  const layers = SIZES.slice(1).map((n, l) => ({ n, m: SIZES[l] as number }));
  return {
    weights: layers.map(({ n, m }) =>
      Array.from({ length: n }, () => Array.from({ length: m }, () => leaf(draw() * m ** -0.5))),
    ),
    biases: layers.map(({ n }) => Array.from({ length: n }, () => leaf(0))),
  };
}

const draw = sequence(2);
const INPUTS = Array.from({ length: POINTS }, () => [draw() * 2, draw() * 2] as const);
const LABELS = INPUTS.map(([x, y]) => (x * x + y * y < 2 ? 1 : -1));

/** The loss of one step; how many operations it took is counted once by `countOperations`. */
function lossOf<S extends Scalar<S>>({ weights, biases }: Network<S>): S {
  let total: S | null = null;
  for (let p = 0; p < POINTS; p++) {
    let h: readonly (S | number)[] = INPUTS[p] as readonly number[];
    for (let l = 0; l < weights.length; l++) {
      const last = l === weights.length - 1;
      const next: S[] = [];
      const rows = weights[l] as S[][];
      for (let i = 0; i < rows.length; i++) {
        const row = rows[i] as S[];
        let sum = (biases[l] as S[])[i] as S;
        for (let j = 0; j < row.length; j++) sum = sum.add((row[j] as S).mul(h[j] as S | number));
        next.push(last ? sum : sum.relu());
      }
      h = next;
    }
    const margin = (h[0] as S)
      .mul(-(LABELS[p] as number))
      .add(1)
      .relu();
    total = total === null ? margin : total.add(margin);
  }
  let penalty: S | null = null;
  for (const layer of weights) {
    for (const row of layer) {
      for (const w of row) penalty = penalty === null ? w.mul(w) : penalty.add(w.mul(w));
    }
  }
  return (total as S).mul(1 / POINTS).add((penalty as S).mul(1e-4));
}

/** One contender's training step; returns the loss before the update. */
export type Step = () => number;

function leavesOf<S>({ weights, biases }: Network<S>): S[] {
  return [...weights.flat(2), ...biases.flat()];
}

/** Adjoint, eager. */
export function adjointStep(): Step {
  const network = makeNetwork((x) => parameter(x));
  const leaves = leavesOf<Value>(network);
  return () => {
    for (const leaf of leaves) leaf.grad = null;
    const loss = lossOf(network);
    loss.backward();
    for (const leaf of leaves) if (leaf.grad !== null) leaf.assign(leaf.item() - RATE * leaf.grad.item());
    return loss.item();
  };
}

/** A closure-based engine. */
export function closureStep(): Step {
  const network = makeNetwork((x) => new ClosureValue(x));
  const leaves = leavesOf<ClosureValue>(network);
  return () => {
    for (const leaf of leaves) leaf.grad = 0;
    const loss = lossOf(network);
    loss.backward();
    for (const leaf of leaves) leaf.data -= RATE * leaf.grad;
    return loss.data;
  };
}

/** Hand-written float64 loops for the same step: what no engine can be faster than without vectors. */
export function handStep(): Step {
  const { weights, biases } = makeNetwork((x) => x);
  const w = weights.map((layer) => Float64Array.from(layer.flat()));
  const b = biases.map((layer) => Float64Array.from(layer));
  const dw = w.map((x) => new Float64Array(x.length));
  const db = b.map((x) => new Float64Array(x.length));
  const h = SIZES.map((n) => new Float64Array(n));
  const dh = SIZES.map((n) => new Float64Array(n));
  return () => {
    let loss = 0;
    for (const layer of [...dw, ...db]) layer.fill(0);
    for (let p = 0; p < POINTS; p++) {
      (h[0] as Float64Array).set(INPUTS[p] as readonly number[]);
      for (let l = 0; l < w.length; l++) {
        const [x, y, wl, bl] = [h[l], h[l + 1], w[l], b[l]] as [
          Float64Array,
          Float64Array,
          Float64Array,
          Float64Array,
        ];
        for (let i = 0; i < y.length; i++) {
          let sum = bl[i] as number;
          for (let j = 0; j < x.length; j++) sum += (wl[i * x.length + j] as number) * (x[j] as number);
          y[i] = l === w.length - 1 ? sum : Math.max(sum, 0);
        }
      }
      const label = LABELS[p] as number;
      const margin = 1 - label * ((h.at(-1) as Float64Array)[0] as number);
      if (margin <= 0) continue;
      loss += margin / POINTS;
      (dh.at(-1) as Float64Array)[0] = -label / POINTS;
      for (let l = w.length - 1; l >= 0; l--) {
        const [x, dx, dy, wl] = [h[l], dh[l], dh[l + 1], w[l]] as [
          Float64Array,
          Float64Array,
          Float64Array,
          Float64Array,
        ];
        const [dwl, dbl] = [dw[l], db[l]] as [Float64Array, Float64Array];
        const y = h[l + 1] as Float64Array;
        dx.fill(0);
        for (let i = 0; i < dy.length; i++) {
          if (l < w.length - 1 && !((y[i] as number) > 0)) continue;
          const d = dy[i] as number;
          dbl[i] = (dbl[i] as number) + d;
          for (let j = 0; j < x.length; j++) {
            dwl[i * x.length + j] = (dwl[i * x.length + j] as number) + d * (x[j] as number);
            dx[j] = (dx[j] as number) + d * (wl[i * x.length + j] as number);
          }
        }
      }
    }
    for (let l = 0; l < w.length; l++) {
      const [wl, dwl, bl, dbl] = [w[l], dw[l], b[l], db[l]] as [
        Float64Array,
        Float64Array,
        Float64Array,
        Float64Array,
      ];
      for (let k = 0; k < wl.length; k++) {
        const x = wl[k] as number;
        loss += 1e-4 * x * x;
        wl[k] = x - RATE * ((dwl[k] as number) + 2e-4 * x);
      }
      for (let k = 0; k < bl.length; k++) bl[k] = (bl[k] as number) - RATE * (dbl[k] as number);
    }
    return loss;
  };
}

/** How many operations one step records. */
export function countOperations(): number {
  let count = 0;
  const tick = () => {
    count++;
    return counter;
  };
  const counter: Scalar<unknown> = { add: tick, mul: tick, relu: tick };
  lossOf(makeNetwork(() => counter as never));
  return count;
}
