/** Matrix products as kernels: the simple way, which every faster one is held to. */

import { combined, counted } from "../kernels/affine.ts";
import type { Affine, Counter, Kernel, Register, Statement } from "../kernels/language.ts";
import type { Operand, Product } from "./steps.ts";

/** A product's kernel: rows of b, scaled by the elements of a, added up in the rows of c. */
export function productKernel({ n, m, k, a, b, c, counters, dtype }: Product): Kernel {
  const next = counters.reduce((id, counter) => Math.max(id, counter.id + 1), 0);
  const [i, l, j] = [n, k, m].map((extent, at): Counter => ({ id: next + at, extent })) as [
    Counter,
    Counter,
    Counter,
  ];
  const place = ({ buffer, at, row, column }: Operand, along: Counter, across: Counter) => ({
    buffer,
    at: added(at, combined(0, [row, column], [counted(along), counted(across)])),
    picked: null,
  });
  const [x, y, z] = [0, 1, 2].map((id): Register => ({ id, dtype })) as [Register, Register, Register];
  const inner: Statement = {
    kind: "loop",
    counter: j,
    body: [
      { kind: "load", to: y, from: place(b, l, j) },
      { kind: "compute", to: z, operator: "mul", from: [x, y] },
      { kind: "combine", to: place(c, i, j), fold: "sum", from: z },
    ],
  };
  const row: Statement = {
    kind: "loop",
    counter: l,
    body: [{ kind: "load", to: x, from: place(a, i, l) }, inner],
  };
  const matrix: Statement = { kind: "loop", counter: i, body: [row] };
  const batch = [...counters]
    .reverse()
    .reduce<Statement>((body, counter) => ({ kind: "loop", counter, body: [body] }), matrix);
  return { name: "product", body: [{ kind: "fill", buffer: c.buffer, value: 0 }, batch] };
}

function added(a: Affine, b: Affine): Affine {
  return combined(0, [1, 1], [a, b]);
}
