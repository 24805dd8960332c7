/** Single eager operations in operations a second, timed by the `benchmark` package. */

import { parameter, random, value } from "@adjoint/core";
import Benchmark from "benchmark";

/** Times each operation; returns lines `name: operations a second ± relative margin`. */
export function timeOperations(): string[] {
  const x = parameter(0.5);
  const y = value(1.5);
  const v = random.uniform(random.key(1), [1000]);
  const w = random.uniform(random.key(2), [1000]);
  const lines: string[] = [];
  const suite = new Benchmark.Suite();
  suite
    .add("scalar add, recorded", () => x.add(y))
    .add("scalar tanh, recorded", () => x.tanh())
    .add("float32 [1000] add", () => v.add(w))
    .add("float32 [1000] tanh", () => v.tanh())
    .add("float32 [1000] sum", () => v.sum())
    .on("cycle", ({ target }: Benchmark.Event) => {
      const { name, hz, stats } = target as unknown as Benchmark;
      lines.push(`${name}: ${Math.round(hz).toLocaleString("en")} a second ±${stats.rme.toFixed(1)}%`);
    })
    .run({ async: false });
  return lines;
}
