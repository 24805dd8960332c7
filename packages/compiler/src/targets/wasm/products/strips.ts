/** Strips: as many rows of c as a tile has, computed tile by tile. */

import type { FunctionReference, Local, ModuleBuilder, WasmType } from "../assembler.ts";
import { advance, times } from "./code.ts";
import { packedLayout, panelBytes } from "./packing.ts";
import type { Plan } from "./plan.ts";
import { type Product, transposed } from "./shape.ts";
import { dotTile, outerTile, type Tile } from "./tiles.ts";

/**
 * Defines the function that computes some strips, of so many rows each, in some panels and in the narrower one at the
 * edge: of the addresses of a, b and c, of the numbers of strips, panels and edges, of that of terms, and of that of
 * terms before them.
 */
export function defineStrips(
  module: ModuleBuilder,
  name: string,
  product: Product,
  plan: Plan,
  rows: number,
  packedA: boolean,
): FunctionReference {
  const { m, k, a, b, c, accumulate, fused } = product;
  const { lanes, columns, depth, packs } = plan;
  const { bytes } = lanes;
  const strip = { lanes, columns: rows, depth };
  const panel = { lanes, columns, depth };
  const stepA = packedA ? panelBytes(strip) : rows * a.row * bytes;
  const stepB = packs.b ? panelBytes(panel) : columns * b.column * bytes;
  const tileOf = (width: number): Tile => ({
    lanes,
    fused,
    rows,
    columns: width,
    a: packedA ? transposed(packedLayout(strip)) : a,
    b: packs.b ? packedLayout({ ...panel, columns: width }) : b,
    c,
    end: accumulate ? "add" : k > depth ? "either" : "write",
  });

  return module.define(name, Array<WasmType>(8).fill("i32"), [], (f, parameters) => {
    const [pa, pb, pc, strips, panels, edges, terms, before] = parameters as Parameters;
    const [bAt, cAt, left] = [f.local("i32"), f.local("i32"), f.local("i32")];
    const place = { a: pa, b: bAt, c: cAt, depth: terms, adds: before };
    const compute = (width: number) => {
      if (plan.method === "dots") dotTile(f, tileOf(width), place, k % lanes.count);
      else outerTile(f, tileOf(width), place);
    };
    times(f, strips, () => {
      f.get(pb).set(bAt);
      f.get(pc).set(cAt);
      f.get(panels).set(left);
      times(f, left, () => {
        compute(columns);
        advance(f, bAt, stepB);
        advance(f, cAt, columns * bytes);
      });
      if (m % columns > 0) f.get(edges).if(() => compute(m % columns));
      advance(f, pa, stepA);
      advance(f, pc, rows * c * bytes);
    });
  });
}

type Parameters = [Local, Local, Local, Local, Local, Local, Local, Local];
