/** What a matrix product is to the code that computes it: sizes and layouts, all known when the code is made. */

/** How far apart, in numbers, an operand's neighbours lie in memory; not negative. */
export interface Layout {
  /** From one row to the next. */
  readonly row: number;
  /** From one column to the next. */
  readonly column: number;
}

/** c = a·b or c += a·b: a [n, k] and b [k, m] in any layout, c [n, m] with its columns side by side. */
export interface Product {
  readonly dtype: "float32" | "float64";
  readonly n: number;
  readonly m: number;
  readonly k: number;
  readonly a: Layout;
  readonly b: Layout;
  /** Numbers from one row of c to the next. */
  readonly c: number;
  /** Adds to what is in c. */
  readonly accumulate: boolean;
  /** Multiplies and adds with one rounding: needs an engine with relaxed SIMD. */
  readonly fused: boolean;
}

/** The layout of the transpose. */
export const transposed = ({ row, column }: Layout): Layout => ({ row: column, column: row });

/**
 * The product as it is computed, and whether that takes its operands the other way round.
 *
 * A column is computed as a row, cᵀ = bᵀ·aᵀ, so that vectors run along it; and where an operand has one row or one
 * column, its neighbours count as lying side by side.
 */
export function orient(product: Product): { readonly product: Product; readonly swapped: boolean } {
  const { n, m, k, c } = product;
  for (const [name, { row, column }] of [
    ["a", product.a],
    ["b", product.b],
  ] as const) {
    if (row >= 0 && column >= 0) continue;
    throw new Error(
      `defineProduct: strides must not be negative, got ${name} [${row}, ${column}]. Copy the operand first.`,
    );
  }
  const a = { row: product.a.row, column: k === 1 ? 1 : product.a.column };
  const b = { row: k === 1 ? 1 : product.b.row, column: m === 1 ? 1 : product.b.column };
  if (m !== 1 || n <= 1 || c !== 1) return { product: { ...product, a, b }, swapped: false };
  const swapped = { ...product, n: 1, m: n, a: transposed(b), b: transposed(a), c: n };
  return { product: swapped, swapped: true };
}
