/** Parts: a matrix product as several that threads can do at the same time. */

import type { Affine, Counter, Operand, Product } from "@adjoint/compiler/targets";

/** Products of fewer multiplications are not worth the meeting of threads: less than a tenth of a millisecond. */
const LEAST_WORK = 2 ** 22;
/** Parts begin at multiples of so many columns, so that they share no cache line, or of so many rows. */
const COLUMNS = 32;
const ROWS = 12;

/**
 * A product as so many, or a few less, each of some of its batch, its columns or its rows; or itself alone where it is too
 * little, or has too little of each.
 */
export function dividedProduct(product: Product, parts: number): readonly Product[] {
  const { n, m, k, a, b, c, counters } = product;
  const work = counters.reduce((size, { extent }) => size * extent, n * m * k);
  if (parts < 2 || work < LEAST_WORK) return [product];
  const [batch, ...inner] = counters;
  if (batch !== undefined && batch.extent >= 2 * parts) {
    return ranges(batch.extent, parts, 1).map(([start, extent]) => {
      const counter: Counter = { ...batch, extent };
      const [ofA, ofB, ofC] = [a, b, c].map((operand) => ranged(operand, batch, counter, start));
      return {
        ...product,
        a: ofA as Operand,
        b: ofB as Operand,
        c: ofC as Operand,
        counters: [counter, ...inner],
      };
    });
  }
  if (m >= n && m >= 2 * COLUMNS) {
    return ranges(m, parts, COLUMNS).map(([start, extent]) => ({
      ...product,
      m: extent,
      b: shifted(b, start * b.column),
      c: shifted(c, start),
    }));
  }
  if (n < 2 * ROWS) return [product];
  return ranges(n, parts, ROWS).map(([start, extent]) => ({
    ...product,
    n: extent,
    a: shifted(a, start * a.row),
    c: shifted(c, start * c.row),
  }));
}

/** Starts and extents of at most so many ranges of nearly the same size, which begin at multiples of a step. */
function ranges(extent: number, parts: number, step: number): [start: number, extent: number][] {
  const long = Math.ceil(extent / parts / step) * step;
  const count = Math.ceil(extent / long);
  return Array.from({ length: count }, (_, i) => [i * long, Math.min(long, extent - i * long)]);
}

function shifted(operand: Operand, by: number): Operand {
  return { ...operand, at: { ...operand.at, offset: operand.at.offset + by } };
}

/** An operand where a counter is another one, and some more. */
function ranged(operand: Operand, from: Counter, to: Counter, start: number): Operand {
  const step = operand.at.terms.find(({ counter }) => counter === from)?.step ?? 0;
  const at: Affine = {
    offset: operand.at.offset + start * step,
    terms: operand.at.terms.map((term) => (term.counter === from ? { ...term, counter: to } : term)),
  };
  return { ...operand, at };
}
