/** Training steps with every optimiser, compiled as eager code takes them. */

import { compile, type Target } from "@adjoint/compiler";
import { random, type Value, value } from "@adjoint/core";
import {
  Adadelta,
  Adagrad,
  AdaMax,
  Adam,
  AdamW,
  AMSGrad,
  clipGradNorm,
  clipGradValue,
  l1Penalty,
  MLP,
  NAdam,
  type Optimizer,
  RMSprop,
  SGD,
  softmaxCrossEntropy,
} from "@adjoint/nn";
import { describe, expect, test } from "vitest";

const optimizers: Record<string, (parameters: Value[]) => Optimizer> = {
  SGD: (ps) => new SGD(ps, { learningRate: 0.1 }),
  "SGD with momentum": (ps) => new SGD(ps, { learningRate: 0.1, momentum: 0.9, dampening: 0.1 }),
  "SGD with Nesterov's momentum": (ps) => new SGD(ps, { learningRate: 0.1, momentum: 0.9, nesterov: true }),
  Adagrad: (ps) => new Adagrad(ps, { learningRate: 0.1, decay: 0.1 }),
  Adadelta: (ps) => new Adadelta(ps, { weightDecay: 0.01 }),
  RMSprop: (ps) => new RMSprop(ps, { momentum: 0.5, centered: true }),
  Adam: (ps) => new Adam(ps, { learningRate: 0.01 }),
  AdamW: (ps) => new AdamW(ps, { learningRate: 0.01 }),
  AMSGrad: (ps) => new AMSGrad(ps, { learningRate: 0.01, weightDecay: 0.001 }),
  AdaMax: (ps) => new AdaMax(ps),
  NAdam: (ps) => new NAdam(ps),
};

const draw = (seed: number, shape: number[]) => random.normal(random.key(seed), shape);
const classes = value(Int32Array.from({ length: 8 }, (_, i) => i % 3));

/** Twenty steps; everything that they leave behind. */
function train(make: (parameters: Value[]) => Optimizer, target: Target | null) {
  const model = new MLP([4, 6, 3], { activation: "tanh", seed: 3 });
  const optimizer = make(model.parameters());
  const f = (x: Value, y: Value) => {
    optimizer.zeroGrad();
    const loss = softmaxCrossEntropy(model.forward(x), y).add(l1Penalty(model.parameters(), 1e-3));
    loss.backward();
    clipGradValue(model.parameters(), 0.5);
    const norm = clipGradNorm(model.parameters(), 0.3);
    optimizer.step();
    return { loss, norm };
  };
  const step = target === null ? f : compile(f, { target });
  const losses: unknown[] = [];
  for (let i = 0; i < 20; i++) {
    if (i === 10) optimizer.learningRate /= 2;
    const { loss, norm } = step(draw(i, [8, 4]), classes);
    losses.push(loss.item(), norm.item());
  }
  const bits = (state: Record<string, Value>) =>
    Object.entries(state).map(([name, x]) => [name, Array.from(x.data)]);
  return {
    losses,
    model: bits(model.stateDict()),
    optimizer: bits(optimizer.stateDict()),
    gradients: model.parameters().map((x) => Array.from((x.grad as Value).data)),
  };
}

/** Holds a target to the bits of eager training steps, or to be near them. */
export function holdTraining(target: Target, digits: number | "all"): void {
  describe(`training steps compiled to ${target.name}`, () => {
    test.each(Object.entries(optimizers))("do what eager ones do: %s", (_, make) => {
      const [got, expected] = [train(make, target), train(make, null)];
      if (digits === "all") {
        expect(got).toEqual(expected);
        return;
      }
      const flat = (x: unknown): number[] =>
        typeof x === "number"
          ? [x]
          : typeof x === "object" && x !== null
            ? Object.values(x).flatMap(flat)
            : [];
      const numbers = flat(got);
      expect(numbers.length).toBe(flat(expected).length);
      flat(expected).forEach((x, i) => {
        expect(numbers[i]).toBeCloseTo(x, digits);
      });
    });
  });
}
