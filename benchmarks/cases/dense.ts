/**
 * Eager products, convolutions and linear algebra by core alone and with the machine's BLAS and LAPACK:
 * `npx tsx --conditions=source benchmarks/cases/dense.ts [threads] [pattern]`. On one thread (the default) times are the
 * processor's, on several the clock's.
 */

import {
  add,
  avgPool,
  cholesky,
  conv2d,
  type DType,
  eig,
  eigh,
  eye,
  inverse,
  lu,
  matmul,
  mul,
  parameter,
  qr,
  random,
  relu,
  solve,
  sum,
  svd,
  type Value,
} from "@adjoint/core";
import { useDense } from "@adjoint/core/operations";
import { useBlas } from "@adjoint/native";
import { machine } from "../report.ts";

const [threads = "1", pattern = ""] = process.argv.slice(2);
const { description } = useBlas({ threads: Number(threads) });
const library = useDense({});

const draw = (seed: number, shape: readonly number[], dtype: DType = "float64") =>
  random.uniform(random.key(seed), shape, { low: -1, dtype });

/** Work, and the numbers that it leaves. */
type Work = readonly [name: string, run: () => Value];

const products: Work[] = (["float32", "float64"] as const).flatMap((dtype) =>
  [8, 16, 32, 64, 128, 256, 512, 1024].map((n): Work => {
    const [a, b] = [draw(1, [n, n], dtype), draw(2, [n, n], dtype)];
    return [`matmul, ${dtype}, ${n}`, () => matmul(a, b)];
  }),
);

const vectors: Work[] = [64, 256, 1024].map((n) => {
  const [a, x] = [draw(1, [n, n], "float32"), draw(2, [1, n], "float32")];
  return [`row times matrix, float32, ${n}`, () => matmul(x, a)];
});

/** LeNet's convolutions for a batch of 64, forward and backward. */
function convolutions(): Work[] {
  const [first, second] = [
    parameter(draw(1, [6, 1, 5, 5], "float32")),
    parameter(draw(2, [16, 6, 5, 5], "float32")),
  ];
  const [images, maps] = [draw(3, [64, 1, 28, 28], "float32"), draw(4, [64, 6, 12, 12], "float32")];
  const step = () => {
    first.grad = null;
    second.grad = null;
    const pooled = avgPool(relu(conv2d(images, first)), [2, 2]);
    sum(relu(conv2d(pooled, second)).square()).backward();
    return first.grad as unknown as Value;
  };
  return [
    ["conv2d, LeNet's first", () => conv2d(images, first)],
    ["conv2d, LeNet's second", () => conv2d(maps, second)],
    ["LeNet's convolutions, a step", step],
  ];
}

const linearAlgebra: Work[] = [16, 32, 64, 128, 256, 512].flatMap((n): Work[] => {
  const identity = eye(n);
  const a = add(draw(n, [n, n]), mul(identity, 3));
  const definite = add(matmul(a, a, { transposeB: true }), identity);
  const b = draw(7, [n, 1]);
  return [
    [`cholesky, ${n}`, () => cholesky(definite)],
    [`lu, ${n}`, () => lu(a).u],
    [`solve, one column, ${n}`, () => solve(a, b)],
    [`inverse, ${n}`, () => inverse(a)],
    [`qr, ${n}`, () => qr(a).r],
    [`eigh, ${n}`, () => eigh(definite).eigenvalues],
    [`eig, ${n}`, () => eig(definite).eigenvalues],
    [`svd, ${n}`, () => svd(a).s],
  ];
});

/** Microseconds of so many runs, each. */
function measure(run: () => unknown, repeats: number): number {
  const now = () => (threads === "1" ? process.cpuUsage() : null);
  const [before, start] = [now(), performance.now()];
  for (let i = 0; i < repeats; i++) run();
  const clock = (performance.now() - start) * 1000;
  if (before === null) return clock / repeats;
  const { user, system } = process.cpuUsage(before);
  return (user + system) / repeats;
}

/** Microseconds: about so many a round, and what takes more at once is run only twice. */
const [ROUND, LONG] = [20_000, 500_000] as const;
const ROUNDS = 12;

/** The best times of core alone and of the library, in alternating rounds, once their answers agree. */
function compare(run: () => Value): [own: number, library: number] {
  const contenders = [{}, library].map((routines) => {
    useDense(routines);
    const { data } = run();
    for (let i = 0; i < 20 && measure(run, 1) < ROUND / 20; i++);
    const best = measure(run, 1);
    return { routines, data, best, repeats: Math.max(1, Math.round(ROUND / best)) };
  });
  const [own, theirs] = contenders.map(({ data }) => data) as [Float64Array, Float64Array];
  const scale = own.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const apart = own.reduce((most, x, i) => Math.max(most, Math.abs(x - (theirs[i] as number))), 0);
  if (!(apart <= 1e-4 * scale)) throw new Error(`answers are ${apart} apart, of ${scale}`);
  for (let round = 0; round < ROUNDS; round++) {
    for (const contender of contenders) {
      if (contender.best > LONG) continue;
      useDense(contender.routines);
      contender.best = Math.min(contender.best, measure(run, contender.repeats));
    }
  }
  return contenders.map(({ best }) => best) as [number, number];
}

console.log(`${machine()}; ${description}, ${threads} threads\n`);
console.log("| work | core, µs | library, µs | times ahead |\n| --- | ---: | ---: | ---: |");
for (const [name, run] of [...products, ...vectors, ...convolutions(), ...linearAlgebra]) {
  if (!name.includes(pattern)) continue;
  const [own, theirs] = compare(run);
  console.log(
    `| ${name} | ${own.toPrecision(3)} | ${theirs.toPrecision(3)} | ${(own / theirs).toPrecision(2)} |`,
  );
}
