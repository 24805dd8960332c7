/**
 * Runs a compiled training step many times, then compiles and disposes of many programs, and prints what memory was in
 * use along the way. Run with `node --expose-gc`; arguments: steps, programs.
 */

import { compile } from "@adjoint/compiler";
import { parameter, random, sum, type Value, value } from "@adjoint/core";
import { Adam, MLP, softmaxCrossEntropy } from "@adjoint/nn";

const [steps = 2000, programs = 100] = process.argv.slice(2).map(Number);
const collect = (globalThis as unknown as { gc(): void }).gc;

/** Memory in use after garbage is collected, in KiB. */
async function used(): Promise<{ heap: number; buffers: number; resident: number }> {
  // Finalizers run between turns.
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    collect();
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed >> 10, buffers: external >> 10, resident: Math.round(rss / 1024) };
}

const model = new MLP([4, 16, 3], { activation: "tanh", seed: 1 });
const optimizer = new Adam(model.parameters(), { learningRate: 1e-3 });
const step = compile((x: Value, y: Value) => {
  optimizer.zeroGrad();
  const loss = softmaxCrossEntropy(model.forward(x), y);
  loss.backward();
  optimizer.step();
  return loss;
});
const inputs = random.normal(random.key(1), [8, 4]);
const labels = value(Int32Array.of(0, 1, 2, 0, 1, 2, 0, 1));

const training: object[] = [];
let loss = 0;
const start = performance.now();
for (let part = 0; part <= 4; part++) {
  for (let i = 0; i < steps / 4; i++) loss = step(inputs, labels).item();
  training.push(await used());
}
const seconds = (performance.now() - start) / 1000;

const compiling: object[] = [];
for (let part = 0; part <= 4; part++) {
  for (let i = 0; i < programs / 4; i++) {
    // Workers take part in every other pair.
    const size = i % 4 < 2 ? 1000 : 400_000;
    const w = parameter(new Float64Array(size).fill(i));
    const f = compile(
      (x: Value) => {
        w.grad = null;
        sum(w.mul(x)).backward();
        w.assign(w.sub(x));
      },
      { threads: 2 },
    );
    f(value(new Float64Array(size)));
    if (i % 2 === 0) f.dispose();
  }
  compiling.push(await used());
}
console.log(JSON.stringify({ loss, seconds, training, compiling }));
