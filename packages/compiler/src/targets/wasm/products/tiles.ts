/** Tiles: the rows and columns of c whose sums are in variables at one time. */

import type { FunctionBuilder, Local } from "../assembler.ts";
import {
  address,
  advance,
  below,
  type Lanes,
  loadLanes,
  multiplyAdd,
  pick,
  storeLanes,
  vectorBytes,
  vectorsOf,
} from "./code.ts";
import type { Layout } from "./shape.ts";

/** What a tile computes. */
export interface Tile {
  readonly lanes: Lanes;
  readonly fused: boolean;
  readonly rows: number;
  readonly columns: number;
  readonly a: Layout;
  readonly b: Layout;
  /** Numbers from one row of c to the next. */
  readonly c: number;
  /** What becomes of the sums: written to c, added to it, or one of the two as a variable says. */
  readonly end: "write" | "add" | "either";
}

/** The variables that say where a tile is. Its code changes none of them. */
export interface TilePlace {
  /** Addresses of the first elements of a, b and c. */
  readonly a: Local;
  readonly b: Local;
  readonly c: Local;
  /** How many terms each sum has, one or more. */
  readonly depth: Local;
  /** Not 0 where the sums are added to c. */
  readonly adds: Local;
}

/**
 * A tile as a sum of outer products, columns of a times rows of b. Lanes run along the rows of b, which are contiguous.
 */
export function outerTile(f: FunctionBuilder, tile: Tile, place: TilePlace): void {
  const { lanes, fused, rows, columns, a, b } = tile;
  const vectors = vectorsOf(lanes, columns);
  const sums = Array.from({ length: rows }, () => vectors.map(() => f.local("v128")));
  const bs = vectors.map(() => f.local("v128"));
  const factor = f.local("v128");
  const pa = f.local("i32");
  const pb = f.local("i32");
  const end = f.local("i32");

  for (const sum of sums.flat()) f.v128f64(0).set(sum);
  f.get(place.a).set(pa);
  f.get(place.b).set(pb);
  address(f, pb, place.depth, b.row * lanes.bytes);
  f.set(end);
  // One term a round: V8's compilers before Turboshaft move all loads of a loop's body to its beginning, so that a
  // body of two terms keeps more vectors at a time than there are registers.
  below(f, pb, end, () => {
    vectors.forEach((used, j) => {
      loadLanes(f, lanes, used, pb, j * vectorBytes);
      f.set(bs[j]!);
    });
    sums.forEach((row, i) => {
      f.get(pa)
        .load(lanes.splat, i * a.row * lanes.bytes)
        .set(factor);
      row.forEach((sum, j) => {
        multiplyAdd(f, lanes, fused, sum, factor, bs[j]!);
      });
    });
    advance(f, pa, a.column * lanes.bytes);
    advance(f, pb, b.row * lanes.bytes);
  });
  finish(f, tile, place, sums);
}

/**
 * A tile as dot products of rows of a and columns of b, which are contiguous both. Lanes run along the sums.
 *
 * Only the last block of a product's terms may end in `rest` terms that do not fill a vector.
 */
export function dotTile(f: FunctionBuilder, tile: Tile, place: TilePlace, rest: number): void {
  const { lanes, fused, rows, columns, a, b } = tile;
  const table = Array.from({ length: rows }, () => Array.from({ length: columns }, () => f.local("v128")));
  const bs = Array.from({ length: columns }, () => f.local("v128"));
  const factor = f.local("v128");
  const pa = f.local("i32");
  const pb = f.local("i32");
  const end = f.local("i32");
  const terms = (used: number) => {
    bs.forEach((x, j) => {
      loadLanes(f, lanes, used, pb, j * b.column * lanes.bytes);
      f.set(x);
    });
    table.forEach((row, i) => {
      loadLanes(f, lanes, used, pa, i * a.row * lanes.bytes);
      f.set(factor);
      row.forEach((sum, j) => {
        multiplyAdd(f, lanes, fused, sum, factor, bs[j]!);
      });
    });
  };

  for (const sum of table.flat()) f.v128f64(0).set(sum);
  f.get(place.a).set(pa);
  f.get(place.b).set(pb);
  f.get(pb)
    .get(place.depth)
    .i32(-lanes.count)
    .op("i32.and")
    .i32(lanes.bytes)
    .op("i32.mul")
    .op("i32.add")
    .set(end);
  f.get(pb).get(end).op("i32.lt_u");
  f.if(() => {
    below(f, pb, end, () => {
      terms(lanes.count);
      advance(f, pa, vectorBytes);
      advance(f, pb, vectorBytes);
    });
  });
  if (rest > 0) {
    f.get(place.depth)
      .i32(lanes.count - 1)
      .op("i32.and");
    f.if(() => terms(rest));
  }
  const sums = table.map((row) =>
    vectorsOf(lanes, columns).map((used, j) => {
      const sum = f.local("v128");
      addUp(f, lanes, row.slice(j * lanes.count, j * lanes.count + used));
      f.set(sum);
      return sum;
    }),
  );
  finish(f, tile, place, sums);
}

/** Leaves the sums of some vectors' lanes on the stack, in the lanes of one vector. */
function addUp(f: FunctionBuilder, lanes: Lanes, xs: readonly Local[]): void {
  const at = (i: number) => xs[Math.min(i, xs.length - 1)]!;
  const fold = (x: Local, y: Local, low: readonly number[], high: readonly number[]) => {
    pick(f, lanes, x, y, low);
    pick(f, lanes, x, y, high);
    f.op(lanes.add);
  };
  if (lanes.count === 2) {
    fold(at(0), at(1), [0, 2], [1, 3]);
    return;
  }
  const [left, right] = [f.local("v128"), f.local("v128")];
  fold(at(0), at(1), [0, 4, 1, 5], [2, 6, 3, 7]);
  f.set(left);
  fold(at(2), at(3), [0, 4, 1, 5], [2, 6, 3, 7]);
  f.set(right);
  fold(left, right, [0, 1, 4, 5], [2, 3, 6, 7]);
}

/** Writes a tile's sums to c or adds them to it. */
function finish(
  f: FunctionBuilder,
  { lanes, columns, c, end }: Tile,
  place: TilePlace,
  sums: readonly (readonly Local[])[],
): void {
  const vectors = vectorsOf(lanes, columns);
  const each = (body: (sum: Local, used: number, offset: number) => void) => {
    sums.forEach((row, i) => {
      row.forEach((sum, j) => {
        body(sum, vectors[j]!, i * c * lanes.bytes + j * vectorBytes);
      });
    });
  };
  const addC = () =>
    each((sum, used, offset) => {
      loadLanes(f, lanes, used, place.c, offset);
      f.get(sum).op(lanes.add).set(sum);
    });
  if (end === "add") addC();
  if (end === "either") f.get(place.adds).if(addC);
  each((sum, used, offset) => storeLanes(f, lanes, used, place.c, offset, sum));
}
