/**
 * A scalar engine of micrograd's design, as the TypeScript ports of it are written: a closure a node, a set of
 * children, a recursive topological sort. The design that Adjoint's scalar graphs are measured against.
 *
 * Source: Karpathy, micrograd (2020), engine.py.
 */

export class ClosureValue {
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

  tanh(): ClosureValue {
    const t = Math.tanh(this.data);
    const out = new ClosureValue(t, [this]);
    out.backwardStep = () => {
      this.grad += (1 - t * t) * out.grad;
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
