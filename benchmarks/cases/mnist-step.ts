/** A training step of the MLP 784-128-10 on a batch, eager float32: softmax cross-entropy and Adam. */

import { random, type Value, value } from "@adjoint/core";
import { Adam, MLP, softmaxCrossEntropy } from "@adjoint/nn";

/** Floating-point operations of the products in one step: forward, and backward but for the inputs' cotangent. */
export function stepFlops(batch: number): number {
  const products = 2 * batch * (784 * 128 + 128 * 10);
  return 2 * products + 2 * batch * 128 * 10;
}

/** One training step after another on the same seeded batch; returns the loss. */
export function mnistStep(batch: number): () => number {
  const model = new MLP([784, 128, 10], { activation: "relu", seed: 1 });
  const optimizer = new Adam(model.parameters(), { learningRate: 1e-3 });
  const x = random.uniform(random.key(2), [batch, 784]);
  const labels: Value = value(Int32Array.from({ length: batch }, (_, i) => i % 10));
  return () => {
    optimizer.zeroGrad();
    const loss = softmaxCrossEntropy(model.forward(x), labels);
    loss.backward();
    optimizer.step();
    return loss.item();
  };
}
