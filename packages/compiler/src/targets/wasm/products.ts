/** Matrix products: functions made for one shape and layout each. */

import type { FunctionBuilder, FunctionReference, Local, ModuleBuilder, WasmType } from "./assembler.ts";
import { address, advance, atMost, below, blocks } from "./products/code.ts";
import { definePacking, panelBytes } from "./products/packing.ts";
import { type Plan, planOf } from "./products/plan.ts";
import { type Layout, orient, type Product, transposed } from "./products/shape.ts";
import { defineStrips } from "./products/strips.ts";

export type { Layout, Product } from "./products/shape.ts";

/**
 * How many units a product consists of. A call computes a range of them: workers that share the memory take a range
 * each, and c is whole when all of them are done. No unit needs another.
 */
export function productUnits(given: Product): number {
  const { product } = orient(given);
  if (isEmpty(product) || product.k === 0) return 1;
  const { axis, rows, columns } = planOf(product);
  return axis === "strips" ? Math.ceil(product.n / rows) : Math.ceil(product.m / columns);
}

/** Bytes of memory that every call needs to itself while it runs. */
export function productWorkspace(given: Product): number {
  const { product } = orient(given);
  if (isEmpty(product) || product.k === 0) return 0;
  const plan = planOf(product);
  return workspaceOfB(product, plan) + workspaceOfA(product, plan);
}

/**
 * Defines the function that computes a product: of the addresses of a, b, c and of the workspace, and of the first unit
 * and the one after the last.
 *
 * An element of c is the sum of its terms in blocks of a few hundred, one block after the other; how the units are
 * divided changes nothing. Within a block, terms are added in their order, or, where rows of a and columns of b are
 * both contiguous, in as many partial sums as a vector has lanes. NaN and infinities follow IEEE 754.
 */
export function defineProduct(module: ModuleBuilder, given: Product): FunctionReference {
  const { product, swapped } = orient(given);
  const name = `product ${given.n}x${given.k}x${given.m}`;
  const define = (body: (f: FunctionBuilder, parameters: Parameters) => void) =>
    module.define(name, Array<WasmType>(6).fill("i32"), [], (f, parameters) => {
      body(f, parameters as Parameters);
    });
  if (isEmpty(product) || (product.k === 0 && product.accumulate)) return define(() => {});
  if (product.k === 0) return define((f, [, , c, , from, to]) => clear(f, product, c, from, to));

  const plan = planOf(product);
  const { n, m, k, a, b, c } = product;
  const { lanes, rows, columns, depth, packs, axis } = plan;
  const { bytes } = lanes;
  const strips = Math.floor(n / rows);
  const panels = Math.floor(m / columns);
  const edge = m % columns;

  const packing = (operand: string, width: number, from: Layout) =>
    definePacking(module, `${name} pack ${operand}`, { lanes, columns: width, from, depth });
  const packA = packs.a ? packing("a", rows, transposed(a)) : null;
  const packB = packs.b ? packing("b", columns, b) : null;
  const packEdge = packs.b && edge > 0 ? packing("b's edge", edge, b) : null;
  const compute = defineStrips(module, `${name} strips`, product, plan, rows, packs.a);
  const computeEdge =
    n % rows > 0 ? defineStrips(module, `${name} last strip`, product, plan, n % rows, false) : null;

  return define((f, [first, second, pc, workspace, from, to]) => {
    const variables = Array.from({ length: 9 }, () => f.local("i32"));
    const [zero, all, terms, stripsTo, inside, outside, aAt, bAt, packedA] = variables as Variables;
    const [pa, pb] = swapped ? [second, first] : [first, second];
    const [stripRange, panelRange] =
      axis === "strips"
        ? ([
            [from, to],
            [zero, all],
          ] as const)
        : ([
            [zero, all],
            [from, to],
          ] as const);
    f.i32(axis === "strips" ? Math.ceil(m / columns) : Math.ceil(n / rows)).set(all);
    f.i32(k).set(terms);
    f.get(workspace).i32(workspaceOfB(product, plan)).op("i32.add").set(packedA);
    f.get(from).get(to).op("i32.ge_s");
    f.if(() => f.return());

    blocks(f, ...panelRange, plan.panels, (panel, count) => {
      // How many panels of the block are whole ones, and whether the edge is in it.
      f.i32(panels).get(panel).op("i32.sub").get(count);
      f.i32(panels).get(panel).op("i32.sub").get(count).op("i32.lt_s").op("select").set(inside);
      f.get(count).get(inside).op("i32.sub").set(outside);

      blocks(f, zero, terms, depth, (term, count) => {
        address(f, pb, term, b.row * bytes);
        f.set(bAt);
        address(f, bAt, panel, columns * b.column * bytes);
        f.set(bAt);
        if (packB !== null) f.get(bAt).get(workspace).get(inside).get(count).call(packB);
        if (packEdge !== null) {
          address(f, bAt, inside, columns * b.column * bytes);
          address(f, workspace, inside, panelBytes(plan));
          f.get(outside).get(count).call(packEdge);
        }
        if (packs.b) f.get(workspace).set(bAt);

        const stripsFrom = (strip: Local, write: () => void) => {
          address(f, pa, strip, rows * a.row * bytes);
          f.set(aAt);
          address(f, aAt, term, a.column * bytes);
          f.set(aAt);
          write();
          address(f, pc, strip, rows * c * bytes);
          f.get(panel)
            .i32(columns * bytes)
            .op("i32.mul")
            .op("i32.add");
        };
        const which = () => f.get(inside).get(outside).get(count).get(term);
        f.get(stripRange[1]).set(stripsTo);
        atMost(f, stripsTo, strips);
        blocks(f, stripRange[0], stripsTo, plan.strips, (strip, some) => {
          stripsFrom(strip, () => {
            if (packA !== null) {
              f.get(aAt).get(packedA).get(some).get(count).call(packA);
              f.get(packedA).set(aAt);
            }
            f.get(aAt).get(bAt);
          });
          f.get(some);
          which().call(compute);
        });
        if (computeEdge !== null) {
          f.get(stripRange[1]).get(stripsTo).op("i32.gt_s");
          f.if(() => {
            stripsFrom(stripsTo, () => f.get(aAt).get(bAt));
            f.i32(1);
            which().call(computeEdge);
          });
        }
      });
    });
  });
}

const isEmpty = ({ n, m }: Product) => n === 0 || m === 0;

const workspaceOfB = ({ m }: Product, plan: Plan) =>
  plan.packs.b ? Math.min(plan.panels, Math.ceil(m / plan.columns)) * panelBytes(plan) : 0;

const workspaceOfA = ({ n }: Product, plan: Plan) =>
  plan.packs.a
    ? Math.min(plan.strips, Math.floor(n / plan.rows)) * panelBytes({ ...plan, columns: plan.rows })
    : 0;

/** The product of no terms: c becomes 0. */
function clear(f: FunctionBuilder, { dtype, n, m, c }: Product, at: Local, from: Local, to: Local): void {
  const bytes = dtype === "float32" ? 4 : 8;
  const end = f.local("i32");
  f.get(from).get(to).op("i32.ge_s");
  f.if(() => f.return());
  f.get(at)
    .i32(n * c * bytes)
    .op("i32.add")
    .set(end);
  below(f, at, end, () => {
    f.get(at)
      .i32(0)
      .i32(m * bytes)
      .memoryFill();
    advance(f, at, c * bytes);
  });
}

type Parameters = [a: Local, b: Local, c: Local, workspace: Local, from: Local, to: Local];
type Variables = [Local, Local, Local, Local, Local, Local, Local, Local, Local];
