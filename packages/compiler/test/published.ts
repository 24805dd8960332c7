/** Tasks that are published for workers, as a running program does it, with nobody else to do them. */

import { capture, type Value } from "@adjoint/core";
import { planOf } from "../src/graph/plan.ts";
import { engine } from "../src/targets/wasm/engine.ts";
import { moduleOf } from "../src/targets/wasm/module.ts";
import { board } from "../src/targets/wasm/threads.ts";
import { join } from "../src/targets/wasm/workers.ts";

/** A program of one task, made ready as the target does it, but for `run`, which nobody calls. */
export function published(f: (x: Value) => Value, x: Value) {
  const graph = capture(f, x);
  const plan = planOf({ graph, arguments: 1, results: 1, updates: [] }, 2);
  const module = moduleOf(plan, 2);
  const { minimum: initial, ...limits } = module.memory;
  const memory = new engine.Memory({ initial, ...limits });
  module.pool.write(memory.buffer as ArrayBuffer);
  const at = (buffer: (typeof plan.inputs)[number]) =>
    new Float64Array(memory.buffer, module.offsets.get(buffer as never), x.size);
  at(plan.inputs[0] ?? null).set(x.data);
  const membership = join(2, new engine.Module(module.bytes), memory, Object.values(module.functions));
  const words = new Int32Array(memory.buffer as SharedArrayBuffer, 0, board.end / 4);
  /** Publishes the first task, of so many parts. */
  const publish = (parts: number) => {
    Atomics.store(words, board.task / 4, 0);
    Atomics.store(words, board.done / 4, 0);
    const state = new BigInt64Array(memory.buffer as SharedArrayBuffer, board.state, 1);
    Atomics.store(state, 0, ((((state[0] as bigint) >> 16n) + 1n) << 16n) | BigInt(parts << 8));
  };
  /** As programs do with each task, since workers may be replaced at any time. */
  const call = () => membership.wake(1);
  const until = async (holds: () => boolean, meanwhile = () => {}) => {
    for (let i = 0; i < 3000 && !holds(); i++) {
      meanwhile();
      if (Atomics.load(words, board.question / 4) === 1) membership.answer();
      await new Promise((resolve) => setTimeout(resolve, i % 10 === 0 ? 5 : 0));
    }
    return holds();
  };
  const done = () => Atomics.load(words, board.done / 4);
  return { publish, call, until, done, membership, words, result: () => at(plan.outputs[0] as never) };
}
