/** lstm: how well layers of diagonal long short-term memories foretell a text, bit by bit. */

import { exp, grad, log, scan, sigmoid, sum, tanh, type Value } from "@adjoint/core";
import { tensor } from "../input.ts";
import { type Problem, task } from "../problem.ts";

/** Two rows a layer, weights and biases of four gates [2l, 4b]; weights in, weights out and biases out [3, b]. */
type Parameters = { readonly main: Value; readonly extra: Value };
type Layer = { readonly hidden: Value; readonly cell: Value };

/** The mean loss a bit over a sequence [c, b], from a state of two rows a layer, hidden and cell. */
export function loss({ main, extra }: Parameters, state: Value, sequence: Value): Value {
  const bits = extra.shape[1] as number;
  const gates = main.reshape([-1, 2, 4, bits]).unstack();
  const layers = state
    .reshape([-1, 2, bits])
    .unstack()
    .map((rows): Layer => {
      const [hidden, cell] = rows.unstack() as [Value, Value];
      return { hidden, cell };
    });
  const [weightsIn, weightsOut, biasesOut] = extra.unstack() as [Value, Value, Value];

  const step = (layers: readonly Layer[], [now, next]: readonly [Value, Value]) => {
    let x = now.mul(weightsIn);
    const after = layers.map((layer, i) => {
      const updated = update(gates[i] as Value, layer, x);
      x = updated.hidden;
      return updated;
    });
    const y = x.mul(weightsOut).add(biasesOut);
    // The 2 is part of the definition.
    const normaliser = log(sum(exp(y)).add(2));
    return [after, sum(next.mul(y.sub(normaliser)))] as const;
  };
  const pairs = [sequence.slice([0, -1]), sequence.slice([1, null])] as const;
  const [, gains] = scan(step, layers, pairs);
  return gains.sum().div(-gains.size * bits);
}

/** A layer's next state; all products are elementwise. */
function update(gates: Value, { hidden, cell }: Layer, x: Value): Layer {
  const [weights, biases] = gates.unstack().map((part) => part.unstack()) as [Value[], Value[]];
  const gate = (k: number, input: Value) => input.mul(weights[k] as Value).add(biases[k] as Value);
  const forget = sigmoid(gate(0, x));
  const ingate = sigmoid(gate(1, hidden));
  const outgate = sigmoid(gate(2, x));
  const change = tanh(gate(3, hidden));
  const next = cell.mul(forget).add(ingate.mul(change));
  return { hidden: outgate.mul(tanh(next)), cell: next };
}

const args = (input: unknown): [Parameters, Value, Value] => {
  const extra = tensor(input, "extra_params", 3, null);
  const bits = extra.shape[1] as number;
  const main = tensor(input, "main_params", null, 4 * bits);
  const state = tensor(input, "state", main.shape[0] as number, bits);
  return [{ main, extra }, state, tensor(input, "sequence", null, bits)];
};

export const lstm: Problem = {
  objective: (input) => task(loss, args(input)),
  jacobian: (input) =>
    task((parameters: Parameters, state: Value, sequence: Value) => {
      const { main, extra } = grad(loss)(parameters, state, sequence);
      return main.reshape([-1]).concat([extra.reshape([-1])]);
    }, args(input)),
};
