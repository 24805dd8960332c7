/** Batches of matrix products: one for each place along some axes. */

import type { FunctionReference, Local, ModuleBuilder, WasmType } from "../assembler.ts";
import { defineProduct, productUnits, productWorkspace } from "../products.ts";
import { blocks } from "./code.ts";
import type { Product } from "./shape.ts";

/** An axis of a batch: how long it is, and how many numbers each operand's next matrix is from the one before. */
export interface BatchAxis {
  readonly extent: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

/**
 * A product for each place of a batch, the last axis the fastest.
 *
 * Places that have the same c, an axis along which that stays, add up, and want a product that accumulates.
 */
export interface ProductBatch {
  readonly product: Product;
  readonly axes: readonly BatchAxis[];
}

/**
 * The same work with as few axes as will do: neighbouring ones that step as one become one; an axis along which b stays
 * and rows of a and of c go on becomes rows, and one along which c stays and terms go on becomes terms.
 */
export function simplify({ product, axes }: ProductBatch): ProductBatch {
  const merged: BatchAxis[] = [];
  for (const axis of axes) {
    const outer = merged.at(-1);
    if (axis.extent === 1) continue;
    const asOne = (["a", "b", "c"] as const).every((x) => outer?.[x] === axis.extent * axis[x]);
    if (asOne) merged[merged.length - 1] = { ...axis, extent: (outer as BatchAxis).extent * axis.extent };
    else merged.push(axis);
  }
  const last = merged.at(-1);
  const { n, k, a, b, c } = product;
  const isRows = last?.b === 0 && last.a === n * a.row && last.c === n * c;
  const isTerms = last?.c === 0 && last.a === k * a.column && last.b === k * b.row;
  if (last === undefined || !(isRows || isTerms)) return { product, axes: merged };
  const larger = isRows ? { ...product, n: n * last.extent } : { ...product, k: k * last.extent };
  return simplify({ product: larger, axes: merged.slice(0, -1) });
}

const placesOf = (axes: readonly BatchAxis[]) => axes.reduce((count, { extent }) => count * extent, 1);

/** What a unit is: one place's product, or a unit of the product at all places. */
const unitsArePlaces = ({ product, axes }: ProductBatch) =>
  placesOf(axes) >= productUnits(product) && axes.every(({ c }) => c !== 0);

/** As `productUnits`, for a batch. */
export function batchUnits(batch: ProductBatch): number {
  const simple = simplify(batch);
  return unitsArePlaces(simple) ? placesOf(simple.axes) : productUnits(simple.product);
}

/** As `productWorkspace`, for a batch. */
export function batchWorkspace(batch: ProductBatch): number {
  return productWorkspace(simplify(batch).product);
}

/** As `defineProduct`, for a batch: of the addresses of the first place's a, b and c, of the workspace, and of units. */
export function defineProducts(module: ModuleBuilder, batch: ProductBatch): FunctionReference {
  const simple = simplify(batch);
  const { product, axes } = simple;
  const one = defineProduct(module, product);
  if (axes.length === 0) return one;
  const bytes = product.dtype === "float32" ? 4 : 8;
  const byPlaces = unitsArePlaces(simple);

  return module.define(`${one.name}, a batch`, Array<WasmType>(6).fill("i32"), [], (f, parameters) => {
    const [a, b, c, workspace, from, to] = parameters as [Local, Local, Local, Local, Local, Local];
    const first = f.local("i32");
    const last = f.local("i32");
    f.i32(placesOf(axes)).set(last);
    blocks(f, byPlaces ? from : first, byPlaces ? to : last, 1, (place) => {
      for (const [name, base] of [
        ["a", a],
        ["b", b],
        ["c", c],
      ] as const) {
        f.get(base);
        let span = placesOf(axes);
        for (const axis of axes) {
          const outermost = span === placesOf(axes);
          span /= axis.extent;
          if (axis[name] === 0) continue;
          f.get(place);
          if (span !== 1) f.i32(span).op("i32.div_u");
          if (!outermost) f.i32(axis.extent).op("i32.rem_u");
          f.i32(axis[name] * bytes)
            .op("i32.mul")
            .op("i32.add");
        }
      }
      f.get(workspace);
      if (byPlaces) f.i32(0).i32(productUnits(product));
      else f.get(from).get(to);
      f.call(one);
    });
  });
}
