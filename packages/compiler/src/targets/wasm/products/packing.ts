/** Packing: columns of a matrix copied side by side, panel by panel, in the order in which tiles read them. */

import type { FunctionBuilder, FunctionReference, Local, ModuleBuilder } from "../assembler.ts";
import {
  address,
  advance,
  below,
  type Lanes,
  loadLanes,
  pick,
  storeLanes,
  times,
  vectorBytes,
  vectorsOf,
} from "./code.ts";
import type { Layout } from "./shape.ts";

/** Panels: so many columns of a matrix each, and at most so many rows. */
export interface Panels {
  readonly lanes: Lanes;
  readonly columns: number;
  /** How the matrix lies in memory. */
  readonly from: Layout;
  readonly depth: number;
}

/** The layout of a packed panel: rows of whole vectors. */
export const packedLayout = ({ lanes, columns }: Omit<Panels, "from">): Layout => ({
  row: vectorsOf(lanes, columns).length * lanes.count,
  column: 1,
});

/** Bytes from a packed panel to the next. */
export const panelBytes = (panels: Omit<Panels, "from">): number =>
  packedLayout(panels).row * panels.lanes.bytes * panels.depth;

/** Defines the function that packs: of the matrix's address, the panels', the number of panels and that of rows. */
export function definePacking(module: ModuleBuilder, name: string, panels: Panels): FunctionReference {
  const { lanes, columns, from } = panels;
  return module.define(name, ["i32", "i32", "i32", "i32"], [], (f, parameters) => {
    const [matrix, packed, count, depth] = parameters as [Local, Local, Local, Local];
    const source = f.local("i32");
    const target = f.local("i32");
    times(f, count, () => {
      f.get(matrix).set(source);
      f.get(packed).set(target);
      packPanel(f, panels, source, target, depth);
      advance(f, matrix, columns * from.column * lanes.bytes);
      advance(f, packed, panelBytes(panels));
    });
  });
}

/** Packs one panel; moves both pointers to the panel's end. */
function packPanel(f: FunctionBuilder, panels: Panels, source: Local, target: Local, depth: Local): void {
  const { lanes, columns, from } = panels;
  const vectors = vectorsOf(lanes, columns);
  const packedRow = packedLayout(panels).row * lanes.bytes;
  const end = f.local("i32");
  const row = f.local("v128");
  const column = (j: number) => j * from.column * lanes.bytes;
  const move = (rows: number) => {
    advance(f, source, rows * from.row * lanes.bytes);
    advance(f, target, rows * packedRow);
  };
  address(f, target, depth, packedRow);
  f.set(end);

  if (from.column === 1) {
    below(f, target, end, () => {
      vectors.forEach((used, j) => {
        loadLanes(f, lanes, used, source, j * vectorBytes);
        f.set(row);
        storeLanes(f, lanes, used, target, j * vectorBytes, row);
      });
      move(1);
    });
    return;
  }

  if (from.row === 1) {
    // Columns are contiguous: squares of as many rows as a vector has lanes are transposed.
    const whole = f.local("i32");
    f.get(target)
      .get(depth)
      .i32(-lanes.count)
      .op("i32.and")
      .i32(packedRow)
      .op("i32.mul")
      .op("i32.add")
      .set(whole);
    f.get(target).get(whole).op("i32.lt_u");
    f.if(() => {
      below(f, target, whole, () => {
        vectors.forEach((used, j) => {
          const square = Array.from({ length: used }, (_, i) => {
            const x = f.local("v128");
            f.get(source)
              .load("v128.load", column(j * lanes.count + i))
              .set(x);
            return x;
          });
          transposeSquare(f, lanes, square, (i, x) => {
            storeLanes(f, lanes, used, target, i * packedRow + j * vectorBytes, x);
          });
        });
        move(lanes.count);
      });
    });
  }

  f.get(target).get(end).op("i32.lt_u");
  f.if(() => {
    below(f, target, end, () => {
      for (let j = 0; j < columns; j++) {
        f.get(target);
        if (lanes.bytes === 4)
          f.get(source)
            .load("i32.load", column(j))
            .store("i32.store", 4 * j);
        else
          f.get(source)
            .load("i64.load", column(j))
            .store("i64.store", 8 * j);
      }
      move(1);
    });
  });
}

/** Gives the body the columns of a square whose rows are in variables; missing rows at the end are anything. */
function transposeSquare(
  f: FunctionBuilder,
  lanes: Lanes,
  rows: readonly Local[],
  body: (column: number, x: Local) => void,
): void {
  const at = (i: number) => rows[Math.min(i, rows.length - 1)]!;
  const picked = (x: Local, y: Local, from: readonly number[]) => {
    const result = f.local("v128");
    pick(f, lanes, x, y, from);
    f.set(result);
    return result;
  };
  if (lanes.count === 2) {
    body(0, picked(at(0), at(1), [0, 2]));
    body(1, picked(at(0), at(1), [1, 3]));
    return;
  }
  for (const half of [0, 1]) {
    const pairs = half === 0 ? [0, 4, 1, 5] : [2, 6, 3, 7];
    const left = picked(at(0), at(1), pairs);
    const right = picked(at(2), at(3), pairs);
    body(2 * half, picked(left, right, [0, 1, 4, 5]));
    body(2 * half + 1, picked(left, right, [2, 3, 6, 7]));
  }
}
