/** Single eager operations, timed by the `benchmark` package. */

import { matmul, parameter, random, type Value, value } from "@adjoint/core";
import Benchmark from "benchmark";
import { median } from "../statistics.ts";

/** What one operation costs. */
export interface OperationTime {
  readonly name: string;
  /** The median of the samples. */
  readonly nanoseconds: number;
  /** Relative margin of error of the mean of all samples, in percent. */
  readonly margin: number;
}

function cases(): Readonly<Record<string, () => unknown>> {
  const x = parameter(0.5);
  const y = value(1.5);
  const draw = (seed: number, shape: number[]) => random.uniform(random.key(seed), shape, { low: 0.1 });
  const [v, w] = [draw(1, [1000]), draw(2, [1000])] as [Value, Value];
  const [a, b] = [draw(3, [64, 64]), draw(4, [64, 64])] as [Value, Value];
  const row = draw(5, [64]);
  const p = parameter(v);
  return {
    "scalar add, recorded": () => x.add(y),
    "scalar mul, recorded": () => x.mul(y),
    "scalar tanh, recorded": () => x.tanh(),
    "scalar mul and its backward": () => {
      x.grad = null;
      x.mul(y).backward();
    },
    "float32 [1000] add": () => v.add(w),
    "float32 [1000] mul, recorded": () => p.mul(w),
    "float32 [1000] exp": () => v.exp(),
    "float32 [1000] tanh": () => v.tanh(),
    "float32 [1000] sum": () => v.sum(),
    "float32 [64, 64] add a row": () => a.add(row),
    "float32 [64, 64] sum of columns": () => a.sum(0),
    "float32 [64, 64] transpose": () => a.transpose(),
    "float32 [64, 64] softmax": () => a.softmax(),
    "float32 [64, 64] matmul": () => matmul(a, b),
    "float32 [1000] sum of squares and its backward": () => {
      p.grad = null;
      p.square().sum().backward();
    },
  };
}

/** Times each operation for about so many seconds. */
export function timeOperations(seconds: number): OperationTime[] {
  const times: OperationTime[] = [];
  const suite = new Benchmark.Suite();
  for (const [name, run] of Object.entries(cases())) suite.add(name, run, { maxTime: seconds });
  suite
    .on("cycle", ({ target }: Benchmark.Event) => {
      const { name, stats } = target as unknown as Benchmark;
      times.push({ name: String(name), nanoseconds: median(stats.sample) * 1e9, margin: stats.rme });
    })
    .run({ async: false });
  return times;
}
