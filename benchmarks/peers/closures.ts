/**
 * A scalar engine of micrograd's design, as the TypeScript ports of it are written: a closure a node, a set of
 * children, a recursive topological sort. The design that Adjoint's scalar graphs are measured against.
 *
 * Source: Karpathy, micrograd (2020), engine.py.
 */

import { chain } from "../cases/chain.ts";
import { leavesOf, lossOf, makeNetwork } from "../cases/scalar-graph.ts";
import type { Contender } from "../problem.ts";

class ClosureValue {
  data: number;
  grad = 0;
  private backwardStep: () => void = () => {};
  private readonly children: Set<ClosureValue>;

  constructor(data: number, children: readonly ClosureValue[] = []) {
    this.data = data;
    this.children = new Set(children);
  }

  add(other: ClosureValue | number): ClosureValue {
    const b = other instanceof ClosureValue ? other : new ClosureValue(other);
    const out = new ClosureValue(this.data + b.data, [this, b]);
    out.backwardStep = () => {
      this.grad += out.grad;
      b.grad += out.grad;
    };
    return out;
  }

  mul(other: ClosureValue | number): ClosureValue {
    const b = other instanceof ClosureValue ? other : new ClosureValue(other);
    const out = new ClosureValue(this.data * b.data, [this, b]);
    out.backwardStep = () => {
      this.grad += b.data * out.grad;
      b.grad += this.data * out.grad;
    };
    return out;
  }

  relu(): ClosureValue {
    const out = new ClosureValue(Math.max(this.data, 0), [this]);
    out.backwardStep = () => {
      this.grad += (out.data > 0 ? 1 : 0) * out.grad;
    };
    return out;
  }

  backward(): void {
    const order: ClosureValue[] = [];
    const visited = new Set<ClosureValue>();
    const visit = (v: ClosureValue): void => {
      if (visited.has(v)) return;
      visited.add(v);
      for (const child of v.children) visit(child);
      order.push(v);
    };
    visit(this);
    this.grad = 1;
    for (const v of order.reverse()) v.backwardStep();
  }
}

/** The engine as a contender: graphs and chains of scalars. */
export const closures: Contender = {
  scalarGraph(problem) {
    const network = makeNetwork(problem, (x) => new ClosureValue(x));
    const leaves = leavesOf<ClosureValue>(network);
    return {
      step() {
        for (const leaf of leaves) leaf.grad = 0;
        const loss = lossOf(problem, network);
        loss.backward();
        for (const leaf of leaves) leaf.data -= problem.learningRate * leaf.grad;
        return loss.data;
      },
    };
  },

  chain({ length, repeats, x, y }) {
    let leaves: ClosureValue[] = [];
    return {
      step() {
        let value = 0;
        for (let r = 0; r < repeats; r++) {
          leaves = [new ClosureValue(x), new ClosureValue(y)];
          const end = chain(leaves[0] as ClosureValue, leaves[1] as ClosureValue, length);
          end.backward();
          value = end.data;
        }
        return value;
      },
      gradients: () => leaves.map(({ grad }) => [grad]),
    };
  },
};
