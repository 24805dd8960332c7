/**
 * The matrix products of the WebAssembly target by themselves: `npx tsx --conditions=source benchmarks/cases/wasm-products.ts`,
 * with `--float64`, or with `--plain` to do without fused multiply-add.
 */

import { matmul, random } from "@adjoint/core";
import { ModuleBuilder } from "../../packages/compiler/src/targets/wasm/assembler.ts";
import { engine, hasRelaxedSimd } from "../../packages/compiler/src/targets/wasm/engine.ts";
import {
  batchUnits,
  batchWorkspace,
  defineProducts,
  type ProductBatch,
} from "../../packages/compiler/src/targets/wasm/products/batch.ts";
import { machine } from "../report.ts";

const flags = new Set(process.argv.slice(2));
const dtype = flags.has("--float64") ? "float64" : "float32";
const fused = hasRelaxedSimd() && !flags.has("--plain");

/** n, k, m; whether a and b are transposes; how many products a batch has. */
type Work = readonly [
  name: string,
  n: number,
  k: number,
  m: number,
  transposes?: "a" | "b" | undefined,
  places?: number,
];

const works: readonly Work[] = [
  ["one tile, operands in the first-level cache", 4, 256, 8, undefined, 256],
  ["square", 64, 64, 64],
  ["square", 512, 512, 512],
  ["square", 512, 512, 512, "a"],
  ["square", 512, 512, 512, "b"],
  ["square", 1000, 1000, 1000],
  ["MNIST, batch 32, forward", 32, 784, 128],
  ["weight gradient", 784, 32, 128, "a"],
  ["second layer", 32, 128, 10],
  ["its weight gradient", 128, 32, 10, "a"],
  ["its input gradient", 32, 10, 128, "b"],
  ["MNIST, batch 128, forward", 128, 784, 128],
  ["weight gradient", 784, 128, 128, "a"],
  ["small MLP, first layer", 100, 2, 16],
  ["second layer", 100, 16, 16],
  ["its weight gradient", 16, 100, 16, "a"],
  ["its input gradient", 100, 16, 16, "b"],
  ["last layer", 100, 16, 1],
  ["wide MLP, forward", 256, 1024, 1024],
  ["weight gradient", 1024, 256, 1024, "a"],
  ["input gradient", 256, 1024, 1024, "b"],
  ["LeNet, batch 64, first convolution", 6, 25, 576, undefined, 64],
  ["its weight gradient", 6, 576, 25, "b", 64],
  ["second convolution", 16, 150, 64, undefined, 64],
  ["its weight gradient", 16, 64, 150, "b", 64],
  ["its input gradient", 150, 16, 64, "a", 64],
  ["row", 1, 1024, 1024],
  ["row", 1, 1024, 1024, "b"],
  ["column", 1024, 1024, 1],
];

/** A batch's operands in a memory of their own, filled, and checked against the eager product. */
function prepare([name, n, k, m, transposes, places = 1]: Work) {
  const a = transposes === "a" ? { row: 1, column: n } : { row: k, column: 1 };
  const b = transposes === "b" ? { row: 1, column: k } : { row: m, column: 1 };
  const isTile = name.startsWith("one tile");
  const batch: ProductBatch = {
    product: { dtype, n, m, k, a, b, c: m, accumulate: false, fused },
    axes: [{ extent: places, a: isTile ? 0 : n * k, b: isTile ? 0 : k * m, c: n * m }],
  };
  const module = new ModuleBuilder();
  module.importMemory("host", "memory", { minimum: 1 });
  const callee = defineProducts(module, batch);
  module.define(
    "run",
    Array<"i32">(6).fill("i32"),
    [],
    (f, parameters) => {
      for (const parameter of parameters) f.get(parameter);
      f.call(callee);
    },
    { exported: true },
  );
  const code = module.toBytes();

  const Numbers = dtype === "float32" ? Float32Array : Float64Array;
  const sizes = [places * n * k, places * k * m, places * n * m];
  const starts = [64];
  for (const size of sizes)
    starts.push(Math.ceil(((starts.at(-1) as number) + size * Numbers.BYTES_PER_ELEMENT) / 64) * 64);
  const [x, y, z, workspace] = starts as [number, number, number, number];
  const memory = new engine.Memory({ initial: Math.ceil((workspace + batchWorkspace(batch)) / 65536) });
  const view = (i: number) => new Numbers(memory.buffer as ArrayBuffer, starts[i], sizes[i]);
  const shapes = [
    [places, ...(transposes === "a" ? [k, n] : [n, k])],
    [places, ...(transposes === "b" ? [m, k] : [k, m])],
  ];
  const operands = shapes.map((shape, i) => random.uniform(random.key(i), shape, { low: -1, dtype }));
  operands.forEach((operand, i) => {
    view(i).set(operand.data);
  });
  const { exports } = new engine.Instance(new engine.Module(code), { host: { memory } });
  const call = exports["run"] as (...args: number[]) => void;
  const units = batchUnits(batch);
  const run = () => call(x, y, z, workspace, 0, units);

  run();
  const [left, right] = operands as [(typeof operands)[0], (typeof operands)[0]];
  const answer = matmul(left, right, { transposeA: transposes === "a", transposeB: transposes === "b" }).data;
  const own = view(2);
  for (let i = 0; i < n * m; i++) {
    const difference = Math.abs((own[i] as number) - (answer[i] as number));
    if (!(difference < 1e-5 * Math.sqrt(k)))
      throw new Error(`${name}: element ${i} is off by ${difference}.`);
  }
  const flops = 2 * places * n * m * k;
  const size = `${places > 1 ? `${places} × ` : ""}[${n}, ${k}]${transposes === "a" ? "ᵀ" : ""}·[${k}, ${m}]${transposes === "b" ? "ᵀ" : ""}`;
  return {
    name,
    size,
    run,
    flops,
    bytes: code.length,
    repeats: Math.ceil(2e6 / flops),
    times: [] as number[],
  };
}

const prepared = works.map(prepare);
for (const { run, repeats, times } of prepared) {
  for (let round = -10; round < 40; round++) {
    const start = performance.now();
    for (let i = 0; i < repeats; i++) run();
    if (round >= 0) times.push((performance.now() - start) / repeats);
  }
}
console.log(`${machine()}, ${dtype}${fused ? ", fused" : ""}\n`);
console.log("| work | sizes | GFLOP/s, best | median | bytes of code |\n| --- | --- | ---: | ---: | ---: |");
for (const { name, size, flops, bytes, times } of prepared) {
  times.sort((a, b) => a - b);
  const rate = (at: number) => (flops / (times[at] as number) / 1e6).toFixed(1);
  console.log(`| ${name} | ${size} | ${rate(0)} | ${rate(times.length >> 1)} | ${bytes} |`);
}
