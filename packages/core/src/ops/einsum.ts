/** Products of tensors: Einstein summation, and dot, inner, outer and Kronecker products. */

import { ArgumentError, describe, ShapeError } from "../errors.ts";
import { define, operands } from "../op.ts";
import { formatShape, type Shape, sizeOf } from "../shape.ts";
import type { Operand, Value } from "../value.ts";
import { mul } from "./elementwise.ts";
import { reshape, transpose } from "./movement.ts";
import { matmul } from "./products.ts";
import { sum } from "./reduction.ts";
import { slice } from "./slicing.ts";

/** A tensor whose axes have labels, all different. */
interface Labelled {
  readonly x: Value;
  readonly labels: readonly string[];
}

/**
 * Einstein summation: products of operands, summed over the indices that the result does not have.
 *
 * `"ij,jk->ik"` is the matrix product, `"ii"` the trace, `"...ij->...ji"` a transpose of the last two axes. Every letter is
 * an index; one that occurs twice in an operand takes its diagonal; `...` stands for the axes that no letter names, and
 * broadcasts. Without `->` the result has the indices that occur once, in alphabetical order, after those of `...`.
 *
 * Shape: axes with one letter have one size, or size 1, which is repeated. dtype: promoted; bool counts as int32.
 * Derivative: of the products and sums that it is made of. Several operands are multiplied two at a time, the pair first
 * that leaves the least.
 * Throws: ArgumentError for an expression that cannot be read or does not fit the number of operands; ShapeError for
 * sizes or ranks that differ from the expression.
 * Source of the order: Smith & Gray, opt_einsum (2018), the greedy path.
 *
 * @example
 * einsum("ij,jk->ik", [[1, 2], [3, 4]], [[5], [6]]) // [[17], [39]]
 */
export const einsum = /* @__PURE__ */ define(
  {
    name: "einsum",
    operation: null,
    samples: (draw) => [
      ["ij,jk->ik", draw([2, 3]), draw([3, 4])],
      ["ii", draw([3, 3])],
      ["ii->i", draw([3, 3])],
      ["iij,jk", draw([2, 2, 3]), draw([3, 2])],
      ["...ij->...ji", draw([2, 1, 3])],
      ["...i,...i->...", draw([2, 3]), draw([4, 1, 3])],
      ["a,b,ab->", draw([2]), draw([3]), draw([2, 3])],
      ["ij,jk,kl->il", draw([2, 3]), draw([3, 4]), draw([4, 2])],
      ["bij,bjk->bik", draw([2, 2, 3]), draw([2, 3, 1])],
      ["ij,ij->ij", draw([2, 1]), draw([1, 3])],
      [",i", draw([]), draw([2])],
      ["ij->", draw([0, 2])],
    ],
  },
  (expression: string, ...xs: readonly Operand[]): Value => {
    const inputs = operands("einsum", xs);
    const { terms, result } = parse(expression, inputs);
    const sizes = new Map<string, number>();
    let rest = terms.map((labels, k) => diagonals(labels, inputs[k] as Value, k));
    for (const { x, labels } of rest) {
      labels.forEach((label, axis) => {
        const n = x.shape[axis] as number;
        const known = sizes.get(label) ?? 1;
        if (known !== n && known !== 1 && n !== 1) {
          throw new ShapeError({
            where: "einsum",
            expected: `axes with one index must have one size, or 1 (${nameOf(label)} in ${expression})`,
            received: `${known} and ${n}`,
          });
        }
        if (n !== 1) sizes.set(label, n);
        else if (known === 1) sizes.set(label, 1);
      });
    }
    // What is repeated along an index does not have it; only where nothing has it, the result needs the 1.
    rest = rest.map(({ x, labels }) => {
      const kept = labels.filter((label, axis) => x.shape[axis] === sizes.get(label));
      return {
        x: reshape(
          x,
          kept.map((label) => sizes.get(label) as number),
        ),
        labels: kept,
      };
    });
    while (rest.length > 1) {
      const [i, j] = cheapestPair(rest, result, sizes);
      const others = rest.filter((_, k) => k !== i && k !== j);
      const wanted = new Set([...result, ...others.flatMap(({ labels }) => labels)]);
      rest = [...others, contract(rest[i] as Labelled, rest[j] as Labelled, wanted)];
    }
    const { x, labels } = summed(rest[0] as Labelled, (label) => result.includes(label));
    return transpose(
      x,
      result.map((label) => labels.indexOf(label)),
    );
  },
);

/** An index in an error message. */
function nameOf(label: string): string {
  return label.length === 1 ? label : "an axis of ...";
}

/** The labels of each operand and of the result; the axes of an ellipsis are labelled from the last: "…0", "…1". */
function parse(expression: string, inputs: readonly Value[]): { terms: string[][]; result: string[] } {
  const fail = (expected: string, received: string): never => {
    throw new ArgumentError({ where: "einsum", expected, received });
  };
  if (typeof expression !== "string") fail('an expression first, as in "ij,jk->ik"', describe(expression));
  const [left = "", right, ...more] = expression.replaceAll(" ", "").split("->");
  const term = /^[A-Za-z]*(\.{3})?[A-Za-z]*$/;
  const written = left.split(",");
  if (more.length > 0 || ![...written, right ?? ""].every((part) => term.test(part)))
    fail('an expression of letters and "...", as in "ij,jk->ik"', JSON.stringify(expression));
  if (written.length !== inputs.length)
    fail(
      `as many operands as ${JSON.stringify(expression)} names (${written.length})`,
      String(inputs.length),
    );
  let widest = 0;
  const spread = (part: string, count: number): string[] => {
    const [before = "", after] = part.split("...");
    if (after === undefined) return [...before];
    return [...before, ...Array.from({ length: count }, (_, i) => `…${count - 1 - i}`), ...after];
  };
  const terms = written.map((part, k) => {
    const { rank, shape } = inputs[k] as Value;
    const letters = part.replace("...", "").length;
    if (part.includes(".") ? rank < letters : rank !== letters) {
      throw new ShapeError({
        where: "einsum",
        expected: `operand ${k} must have the axes of ${JSON.stringify(part)}`,
        received: `shape ${formatShape(shape)}`,
      });
    }
    if (part.includes(".")) widest = Math.max(widest, rank - letters);
    return spread(part, rank - letters);
  });
  const letters = terms.flat().filter((label) => label.length === 1);
  if (right === undefined) {
    const once = letters.filter((label) => letters.indexOf(label) === letters.lastIndexOf(label));
    return { terms, result: [...spread("...", widest), ...once.sort()] };
  }
  const result = spread(right, widest);
  const wrong = result.find((label, i) => !terms.flat().includes(label) || result.indexOf(label) !== i);
  if (wrong !== undefined)
    fail("indices of the result must be different and occur in an operand", nameOf(wrong));
  return { terms, result };
}

/** An operand with the diagonals that repeated labels name: every (n + 1)th of n² elements. */
function diagonals(labels: readonly string[], x: Value, k: number): Labelled {
  const again = labels.findIndex((label, axis) => labels.indexOf(label) !== axis);
  if (again < 0) return { x, labels };
  const first = labels.indexOf(labels[again] as string);
  const n = x.shape[first] as number;
  if (x.shape[again] !== n) {
    throw new ShapeError({
      where: "einsum",
      expected: `axes of operand ${k} with the repeated index ${labels[again]} must have one size`,
      received: `${n} and ${x.shape[again]}`,
    });
  }
  const others = labels.flatMap((_, axis) => (axis === first || axis === again ? [] : [axis]));
  const shape = others.map((axis) => x.shape[axis] as number);
  const flat = reshape(transpose(x, [...others, first, again]), [...shape, n * n]);
  const diagonal = slice(flat, ...others.map(() => null), [null, null, n + 1]);
  return diagonals([...others.map((axis) => labels[axis] as string), labels[first] as string], diagonal, k);
}

/** The pair whose product leaves the fewest elements more than it takes away; of equals, the one of least work. */
function cheapestPair(
  rest: readonly Labelled[],
  result: readonly string[],
  sizes: ReadonlyMap<string, number>,
): [number, number] {
  const sizeOfAll = (labels: Iterable<string>) =>
    sizeOf([...labels].map((label) => sizes.get(label) as number));
  let best: [number, number] = [0, 1];
  let least = [Infinity, Infinity];
  for (let j = 1; j < rest.length && rest.length > 2; j++) {
    for (let i = 0; i < j; i++) {
      const [a, b] = [rest[i] as Labelled, rest[j] as Labelled];
      const all = new Set([...a.labels, ...b.labels]);
      const wanted = new Set(
        rest.flatMap(({ labels }, k) => (k === i || k === j ? [] : labels)).concat(result),
      );
      const left = sizeOfAll([...all].filter((label) => wanted.has(label))) - a.x.size - b.x.size;
      const work = sizeOfAll(all);
      if (left < (least[0] as number) || (left === least[0] && work < (least[1] as number))) {
        least = [left, work];
        best = [i, j];
      }
    }
  }
  return best;
}

/** Sums over the labels that are not wanted. */
function summed({ x, labels }: Labelled, wanted: (label: string) => boolean): Labelled {
  const gone = labels.flatMap((label, axis) => (wanted(label) ? [] : [axis]));
  return gone.length === 0 ? { x, labels } : { x: sum(x, gone), labels: labels.filter(wanted) };
}

/** The product of two, summed over the labels that are not wanted. */
function contract(left: Labelled, right: Labelled, wanted: ReadonlySet<string>): Labelled {
  const a = summed(left, (label) => wanted.has(label) || right.labels.includes(label));
  const b = summed(right, (label) => wanted.has(label) || left.labels.includes(label));
  const shared = a.labels.filter((label) => b.labels.includes(label));
  const batch = shared.filter((label) => wanted.has(label));
  const paired = shared.filter((label) => !wanted.has(label));
  const onlyA = a.labels.filter((label) => !shared.includes(label));
  const onlyB = b.labels.filter((label) => !shared.includes(label));
  const sizesOf = ({ x, labels }: Labelled, of: readonly string[]): Shape =>
    of.map((label) => x.shape[labels.indexOf(label)] as number);
  const arranged = (operand: Labelled, order: readonly string[], shape: Shape) =>
    reshape(
      transpose(
        operand.x,
        order.map((label) => operand.labels.indexOf(label)),
      ),
      shape,
    );
  const ones = (list: readonly string[]) => list.map(() => 1);
  const labels = [...batch, ...onlyA, ...onlyB];
  const [sizeBatch, sizeA, sizeB] = [sizesOf(a, batch), sizesOf(a, onlyA), sizesOf(b, onlyB)];
  if (paired.length === 0) {
    const x = arranged(a, [...batch, ...onlyA], [...sizeBatch, ...sizeA, ...ones(onlyB)]);
    const y = arranged(b, [...batch, ...onlyB], [...sizeBatch, ...ones(onlyA), ...sizeB]);
    return { x: mul(x, y), labels };
  }
  const depth = sizeOf(sizesOf(a, paired));
  const [n, m] = [sizeOf(sizeA), sizeOf(sizeB)];
  // The product reads a transposed operand as it lies.
  const lies = (operand: Labelled, order: readonly string[]) =>
    order.every((l, i) => operand.labels[i] === l);
  const transposeA = lies(a, [...batch, ...paired]);
  const transposeB = !lies(b, [...batch, ...paired]) && lies(b, [...batch, ...onlyB]);
  const x = transposeA
    ? reshape(a.x, [...sizeBatch, depth, n])
    : arranged(a, [...batch, ...onlyA, ...paired], [...sizeBatch, n, depth]);
  const y = transposeB
    ? arranged(b, [...batch, ...onlyB, ...paired], [...sizeBatch, m, depth])
    : arranged(b, [...batch, ...paired, ...onlyB], [...sizeBatch, depth, m]);
  return { x: reshape(matmul(x, y, { transposeA, transposeB }), [...sizeBatch, ...sizeA, ...sizeB]), labels };
}

/**
 * NumPy's dot product: over the last axis of a and the last but one of b, or the only one of a vector.
 *
 * Shape: [..., k], [..., k, m] → [..., ..., m] (every matrix of a with every one of b; `matmul` pairs them). A scalar
 * multiplies. Derivative: as `matmul`. Throws: ShapeError when the summed sizes differ.
 *
 * @example
 * dot([1, 2, 3], [4, 5, 6]) // 32
 */
export const dot = /* @__PURE__ */ define(
  {
    name: "dot",
    operation: null,
    samples: (draw) => [
      [draw([3]), draw([3])],
      [draw([2, 3]), draw([3])],
      [draw([3]), draw([2, 3, 2])],
      [draw([2, 3]), draw([2, 3, 1])],
      [draw([]), draw([2])],
      [draw([0]), draw([0])],
    ],
  },
  (a: Operand, b: Operand): Value => {
    const [left, right] = operands("dot", [a, b]) as [Value, Value];
    if (left.rank === 0 || right.rank === 0) return mul(left, right);
    const axis = Math.max(right.rank - 2, 0);
    return pairwise("dot", left, right, axis);
  },
);

/**
 * NumPy's inner product: over the last axes of both.
 *
 * Shape: [..., k], [..., k] → all axes of a but the last, then those of b. A scalar multiplies.
 * Derivative: as `matmul`. Throws: ShapeError when the last sizes differ.
 *
 * @example
 * inner([[1, 2], [3, 4]], [1, 10]) // [21, 43]
 */
export const inner = /* @__PURE__ */ define(
  {
    name: "inner",
    operation: null,
    samples: (draw) => [
      [draw([3]), draw([3])],
      [draw([2, 3]), draw([3])],
      [draw([1, 3]), draw([2, 2, 3])],
      [draw([2]), draw([])],
    ],
  },
  (a: Operand, b: Operand): Value => {
    const [left, right] = operands("inner", [a, b]) as [Value, Value];
    if (left.rank === 0 || right.rank === 0) return mul(left, right);
    return pairwise("inner", left, right, right.rank - 1);
  },
);

/** Products of all vectors along a's last axis with all along an axis of b. */
function pairwise(where: string, a: Value, b: Value, axis: number): Value {
  const k = a.shape.at(-1) as number;
  if (b.shape[axis] !== k) {
    throw new ShapeError({
      where,
      expected: "the summed sizes must match",
      received: `${k} and ${b.shape[axis]} (a ${formatShape(a.shape)}, b ${formatShape(b.shape)})`,
    });
  }
  const outside = b.shape.flatMap((_, i) => (i === axis ? [] : [i]));
  const left = a.shape.slice(0, -1);
  const right = outside.map((i) => b.shape[i] as number);
  const rows = reshape(a, [sizeOf(left), k]);
  const columns = reshape(transpose(b, [...outside, axis]), [sizeOf(right), k]);
  return reshape(matmul(rows, columns, { transposeB: true }), [...left, ...right]);
}

/**
 * Every element of a times every element of b; both are flattened, as in NumPy.
 *
 * Shape: n and m elements → [n, m]. Derivative: ā = ȳ b, b̄ = ȳᵀ a.
 *
 * @example
 * outer([1, 2], [3, 4, 5]) // [[3, 4, 5], [6, 8, 10]]
 */
export const outer = /* @__PURE__ */ define(
  {
    name: "outer",
    operation: null,
    samples: (draw) => [
      [draw([2]), draw([3])],
      [draw([2, 2]), draw([])],
      [draw([0]), draw([2])],
    ],
  },
  (a: Operand, b: Operand): Value => {
    const [left, right] = operands("outer", [a, b]) as [Value, Value];
    return mul(reshape(left, [left.size, 1]), reshape(right, [1, right.size]));
  },
);

/**
 * Kronecker product: b repeated in the pattern of a, each copy times an element of a.
 *
 * Shape: sizes multiply axis by axis, the shorter shape with 1s before it. Derivative: of the products.
 *
 * @example
 * kron([[1, 2]], [[1, 0], [0, 1]]) // [[1, 0, 2, 0], [0, 1, 0, 2]]
 */
export const kron = /* @__PURE__ */ define(
  {
    name: "kron",
    operation: null,
    samples: (draw) => [
      [draw([2, 3]), draw([2, 1])],
      [draw([2]), draw([2, 3])],
      [draw([]), draw([3])],
      [draw([0]), draw([2])],
    ],
  },
  (a: Operand, b: Operand): Value => {
    const [left, right] = operands("kron", [a, b]) as [Value, Value];
    const rank = Math.max(left.rank, right.rank);
    const sizes = (x: Value) => [...new Array<number>(rank - x.rank).fill(1), ...x.shape];
    const [n, m] = [sizes(left), sizes(right)];
    const rows = reshape(
      left,
      n.flatMap((size) => [size, 1]),
    );
    const columns = reshape(
      right,
      m.flatMap((size) => [1, size]),
    );
    return reshape(
      mul(rows, columns),
      n.map((size, i) => size * (m[i] as number)),
    );
  },
);
