// npm run example -- docs/examples/linear-regression.ts

/**
 * Linear regression with two variables: batch, mini-batch and stochastic gradient descent compared.
 *
 * How much timber is in a tree of a given diameter and height? The logarithms of 31 felled black cherry trees are
 * fitted by volume = c · diameterᵖ · heightᑫ, that is ln v = ln c + p ln d + q ln h; for a cone, p = 2 and q = 1.
 * With a column of ones in X, the least squares loss, its gradient and the weights where that is 0 are
 *
 *     L(w) = ‖Xw − y‖²/n,    ∇L(w) = (2/n) Xᵀ(Xw − y),    XᵀX ŵ = Xᵀy.
 *
 * Descent goes w ← w − η ∇L(w), with the loss taken over all examples (batch), over one (stochastic) or over a few
 * (mini-batch), in a new order each epoch. With a constant rate η the batch converges to ŵ; the others make more steps
 * an epoch, but come only into a neighbourhood of ŵ, which shrinks with η. A falling rate takes them on.
 *
 * Sources: Hastie, Tibshirani & Friedman, The Elements of Statistical Learning, 2nd edition (2009), §3.2 (the normal
 * equations); Bottou, Curtis & Nocedal, Optimization Methods for Large-Scale Machine Learning, SIAM Review 60 (2018),
 * theorems 4.6 and 4.7 (constant and falling rates). Data: Ryan, Joiner & Ryan, The Minitab Student Handbook (1976);
 * it is `trees` in R, whose help page fits the same model.
 */

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { grad, random, type Value, value } from "@adjoint/core";
import { curves } from "@adjoint/viz";

/** Diameter in inches, height in feet, volume of timber in cubic feet. */
// biome-ignore format: a table.
const trees: [diameter: number, height: number, volume: number][] = [
  [8.3, 70, 10.3], [8.6, 65, 10.3], [8.8, 63, 10.2], [10.5, 72, 16.4], [10.7, 81, 18.8], [10.8, 83, 19.7],
  [11.0, 66, 15.6], [11.0, 75, 18.2], [11.1, 80, 22.6], [11.2, 75, 19.9], [11.3, 79, 24.2], [11.4, 76, 21.0],
  [11.4, 76, 21.4], [11.7, 69, 21.3], [12.0, 75, 19.1], [12.9, 74, 22.2], [12.9, 85, 33.8], [13.3, 86, 27.4],
  [13.7, 71, 25.7], [13.8, 64, 24.9], [14.0, 78, 34.5], [14.2, 80, 31.7], [14.5, 74, 36.3], [16.0, 72, 38.3],
  [16.3, 77, 42.6], [17.3, 81, 55.4], [17.5, 82, 55.7], [17.9, 80, 58.3], [18.0, 80, 51.5], [18.0, 80, 51.0],
  [20.6, 87, 77.0],
];
const n = trees.length;

// Descent wants features of like size: the logarithms are centred and divided by their standard deviations.
const logarithms = trees.map((tree) => tree.map(Math.log) as typeof tree);
const mean = (xs: number[]) => xs.reduce((sum, x) => sum + x, 0) / xs.length;
const deviation = (xs: number[]) => Math.sqrt(mean(xs.map((x) => (x - mean(xs)) ** 2)));
const [diameters, heights] = [logarithms.map(([d]) => d), logarithms.map(([, h]) => h)];
const rows = logarithms.map(([d, h]): [number, number, number] => [
  1,
  (d - mean(diameters)) / deviation(diameters),
  (h - mean(heights)) / deviation(heights),
]);
const targets = logarithms.map(([, , v]) => v);

/** ŵ by the normal equations in plain numbers: Gaussian elimination with pivots. */
function normalEquations(x: number[][], y: number[]): number[] {
  const at = (matrix: number[][], i: number, j: number) => matrix[i]?.[j] as number;
  const size = x[0]?.length as number;
  const sumOver = (term: (i: number) => number) => y.reduce((sum, _, i) => sum + term(i), 0);
  const system = Array.from({ length: size }, (_, j) => [
    ...Array.from({ length: size }, (_, k) => sumOver((i) => at(x, i, j) * at(x, i, k))),
    sumOver((i) => at(x, i, j) * (y[i] as number)),
  ]);
  for (let j = 0; j < size; j++) {
    const below = system.slice(j).sort((a, b) => Math.abs(b[j] as number) - Math.abs(a[j] as number));
    system.splice(j, below.length, ...below);
    for (let i = 0; i < size; i++) {
      const factor = at(system, i, j) / at(system, j, j);
      if (i !== j) system[i] = system[i]?.map((entry, k) => entry - factor * at(system, j, k)) as number[];
    }
  }
  return system.map((row, j) => (row[size] as number) / (row[j] as number));
}

const best = normalEquations(rows, targets);

const X = value(rows);
const y = value(targets);
const loss = (w: Value, x: Value, t: Value) => x.matmul(w).sub(t).square().mean();
const gradient = grad(loss);

// At w = 0 the gradient is −(2/n) Xᵀy, here in plain numbers.
gradient(value([0, 0, 0]), X, y).data.forEach((slope, j) => {
  const exact = -2 * mean(rows.map((row, i) => (row[j] as number) * (targets[i] as number)));
  assert.ok(Math.abs(slope - exact) <= 1e-14 * Math.abs(exact));
});

interface Run {
  readonly name: string;
  readonly batchSize: number;
  /** η in an epoch, counted from 0. */
  readonly rate: (epoch: number) => number;
}

const epochs = 100;

/** What is measured before the first epoch and after each one, and the last weights. */
function descend({ batchSize, rate }: Run) {
  let w = value([0, 0, 0]);
  const losses: number[] = [];
  const distances: number[] = [];
  // L(w) − L(ŵ) = ‖X(w − ŵ)‖²/n, since ∇L(ŵ) = 0: this way without the rounding of a difference.
  const excesses: number[] = [];
  for (let epoch = 0; ; epoch++) {
    losses.push(loss(w, X, y).item());
    distances.push(Math.hypot(...w.data.map((weight, j) => weight - (best[j] as number))));
    excesses.push(X.matmul(w.sub(best)).square().mean().item());
    if (epoch === epochs) return { losses, distances, excesses, w };
    const order = random.permutation(random.fold(random.key(1976), epoch), n);
    for (let start = 0; start < n; start += batchSize) {
      const batch = order.slice([start, Math.min(start + batchSize, n)]);
      w = w.sub(gradient(w, X.take(batch, 0), y.take(batch, 0)).mul(rate(epoch)));
    }
  }
}

const runs: Run[] = [
  { name: "batch", batchSize: n, rate: () => 0.2 },
  { name: "mini-batch of 8", batchSize: 8, rate: () => 0.1 },
  { name: "stochastic", batchSize: 1, rate: () => 0.05 },
  { name: "stochastic, falling rate", batchSize: 1, rate: (epoch) => 0.05 / (1 + epoch) },
];
const results = runs.map(descend);
const least = loss(value(best), X, y).item();

const width = 26;
const inColumns = (cells: string[]) => cells.map((cell) => cell.padStart(width)).join("");
const measured = `${"L(w)".padStart(8)} ${"‖w − ŵ‖".padStart(8)}`;
console.log(`The volume of ${n} cherry trees by diameter and height, learned by gradient descent\n`);
console.log(`  epoch${inColumns(runs.map(({ name }) => name))}`);
console.log(`  ${"".padEnd(5)}${inColumns(runs.map(() => measured))}`);
for (const epoch of [0, 1, 2, 5, 10, 20, 50, 100]) {
  const cells = results.map(({ losses, distances }) => {
    const distance = (distances[epoch] as number).toExponential(1);
    return `${(losses[epoch] as number).toFixed(6)} ${distance.padStart(8)}`;
  });
  console.log(`  ${String(epoch).padStart(5)}${inColumns(cells)}`);
}
console.log(`  exact${inColumns(results.map(() => `${least.toFixed(6)} ${"0".padStart(8)}`))}`);

/** ln c, p and q, from weights of the standardized logarithms. */
function powerLaw([w0, w1, w2]: number[]): [number, number, number] {
  const p = (w1 as number) / deviation(diameters);
  const q = (w2 as number) / deviation(heights);
  return [(w0 as number) - p * mean(diameters) - q * mean(heights), p, q];
}

// R: lm(log(Volume) ~ log(Girth) + log(Height), data = trees), as its help page prints it.
const published = [-6.63162, 1.98265, 1.11712];
const laws: [string, number[]][] = [
  ["normal equations", powerLaw(best)],
  ...runs.map(({ name }, i): [string, number[]] => [name, powerLaw(Array.from(results[i]?.w.data ?? []))]),
  ["R's manual", published],
];
console.log("\n  ln volume = ln c + p ln diameter + q ln height       ln c         p         q");
for (const [name, law] of laws) {
  console.log(`  ${name.padEnd(46)}${law.map((x) => x.toFixed(5).padStart(10)).join("")}`);
}

powerLaw(best).forEach((x, j) => {
  assert.equal(x.toFixed(5), published[j]?.toFixed(5));
});

// The batch arrives; the others stay about as far away as their rate is large, and a falling rate goes on.
const [batch, miniBatch, stochastic, falling] = results.map(
  ({ distances }) => distances.at(-1) as number,
) as [number, number, number, number];
assert.ok(batch < 1e-9);
assert.ok(stochastic > miniBatch && miniBatch > falling && falling > batch);

const picture = curves({
  title: "Three kinds of descent, and a falling rate",
  x: { label: "epoch" },
  y: { label: "loss above the least possible, L(w) − L(ŵ)", scale: "log" },
  series: runs.map(({ name }, i) => {
    const { excesses } = results[i] as (typeof results)[number];
    return { name, x: excesses.map((_, epoch) => epoch), y: excesses };
  }),
});
const pictures = new URL("pictures/", import.meta.url);
mkdirSync(pictures, { recursive: true });
writeFileSync(new URL("linear-regression.svg", pictures), picture);
console.log("\nThe losses are drawn in docs/examples/pictures/linear-regression.svg");
