/**
 * The inner loops of the matrix product, 4 × 4 numbers at a time in registers: as WebAssembly, whose vectors are four
 * times as fast here, and in JavaScript where that is not allowed. Both add in the same order and give the same numbers.
 */

/** Rows and columns of a tile. */
export const TILE = 4;

/**
 * Adds the products of a strip of A (rows side by side) with one of B (columns side by side), each `depth` deep, to
 * tiles of a row-major matrix, for `rows` strips of A and `columns` of B. a, b, c: where the strips and the matrix begin;
 * `width`: from one of the matrix's rows to the next. All counts but of strips are in bytes; none is 0.
 */
type Tiles = (
  a: number,
  b: number,
  c: number,
  rows: number,
  columns: number,
  depth: number,
  width: number,
) => void;

/** Memory and what multiplies in it. */
export interface Workspace {
  readonly floats: Float64Array;
  readonly tiles: Tiles;
}

/** The part of JavaScript's WebAssembly interface that is used here. */
interface Engine {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: { readonly m: { readonly m: object } },
  ) => { readonly exports: { readonly t: Tiles } };
  readonly Memory: new (pages: { readonly initial: number }) => { readonly buffer: ArrayBuffer };
}

const PAGE = 65536;

/** A workspace of at least so many bytes, in WebAssembly if that is there and may be used. */
export function workspaceOf(bytes: number): Workspace {
  return wasmWorkspace(bytes) ?? plainWorkspace(bytes);
}

/** A workspace whose tiles are WebAssembly; null where there is none, or a content security policy forbids it. */
export function wasmWorkspace(bytes: number): Workspace | null {
  try {
    const { Module, Instance, Memory } = (globalThis as unknown as { readonly WebAssembly: Engine })
      .WebAssembly;
    const memory = new Memory({ initial: Math.ceil(bytes / PAGE) });
    const { exports } = new Instance(new Module(moduleBytes()), { m: { m: memory } });
    return { floats: new Float64Array(memory.buffer), tiles: exports.t };
  } catch {
    return null;
  }
}

/** A workspace whose tiles are JavaScript. */
export function plainWorkspace(bytes: number): Workspace {
  const floats = new Float64Array(Math.ceil(bytes / 8));
  return {
    floats,
    tiles(a, b, c, rows, columns, depth, width) {
      for (let j = 0; j < columns; j++) {
        for (let i = 0; i < rows; i++) {
          const at = c + i * TILE * width + j * TILE * 8;
          tile(floats, (a + i * depth) >> 3, (b + j * depth) >> 3, depth >> 3, at >> 3, width >> 3);
        }
      }
    },
  };
}

/** One tile. */
function tile(floats: Float64Array, p: number, q: number, depth: number, at: number, width: number): void {
  let [s00, s01, s02, s03] = [0, 0, 0, 0];
  let [s10, s11, s12, s13] = [0, 0, 0, 0];
  let [s20, s21, s22, s23] = [0, 0, 0, 0];
  let [s30, s31, s32, s33] = [0, 0, 0, 0];
  for (const end = p + depth; p < end; p += TILE, q += TILE) {
    const b0 = floats[q] as number;
    const b1 = floats[q + 1] as number;
    const b2 = floats[q + 2] as number;
    const b3 = floats[q + 3] as number;
    const a0 = floats[p] as number;
    s00 += a0 * b0;
    s01 += a0 * b1;
    s02 += a0 * b2;
    s03 += a0 * b3;
    const a1 = floats[p + 1] as number;
    s10 += a1 * b0;
    s11 += a1 * b1;
    s12 += a1 * b2;
    s13 += a1 * b3;
    const a2 = floats[p + 2] as number;
    s20 += a2 * b0;
    s21 += a2 * b1;
    s22 += a2 * b2;
    s23 += a2 * b3;
    const a3 = floats[p + 3] as number;
    s30 += a3 * b0;
    s31 += a3 * b1;
    s32 += a3 * b2;
    s33 += a3 * b3;
  }
  const add = (s0: number, s1: number, s2: number, s3: number) => {
    floats[at] = (floats[at] as number) + s0;
    floats[at + 1] = (floats[at + 1] as number) + s1;
    floats[at + 2] = (floats[at + 2] as number) + s2;
    floats[at + 3] = (floats[at + 3] as number) + s3;
    at += width;
  };
  add(s00, s01, s02, s03);
  add(s10, s11, s12, s13);
  add(s20, s21, s22, s23);
  add(s30, s31, s32, s33);
}

/**
 * The module: it imports its memory and exports the tiles. Written here byte by byte.
 *
 * Source: WebAssembly Core Specification, release 2.0, "Binary Format".
 */
function moduleBytes(): Uint8Array {
  const [I32, V128, FUNCTION] = [0x7f, 0x7b, 0x60];
  const number = (x: number): number[] => (x < 128 ? [x] : [(x & 127) | 128, ...number(x >> 7)]);
  const list = (items: readonly (readonly number[])[]) => [...number(items.length), ...items.flat()];
  const sized = (bytes: readonly number[]) => [...number(bytes.length), ...bytes];
  /** A section of one item. */
  const section = (id: number, item: readonly number[]) => [id, ...sized(list([item]))];
  const text = (name: string) => sized([name.charCodeAt(0)]);

  // The parameters, variables and vectors by their numbers.
  const [a, b, c, rows, columns, depth, width] = [0, 1, 2, 3, 4, 5, 6];
  const [i, p, q, at, end, factor] = [7, 8, 9, 10, 11, 12];
  const right = (v: number) => 13 + v;
  const sum = (r: number, v: number) => 15 + 2 * r + v;

  const code = (...parts: readonly (readonly number[])[]) => parts.flat();
  const get = (x: number) => [0x20, x];
  const set = (x: number) => [0x21, x];
  const i32 = (x: number) => [0x41, x];
  const [add, subtract, isLess] = [[0x6a], [0x6b], [0x49]];
  const simd = (opcode: number, ...rest: number[]) => [0xfd, ...number(opcode), ...rest];
  const load = (offset: number) => simd(0, 4, offset);
  const splat = (offset: number) => simd(10, 3, offset);
  const store = (offset: number) => simd(11, 4, offset);
  const zero = simd(12, ...new Array<number>(16).fill(0));
  const [plus, times] = [simd(0xf0), simd(0xf2)];
  /** Runs a body again while a condition holds after it. */
  const loop = (body: readonly number[], condition: readonly number[]) =>
    code([3, 0x40], body, condition, [13, 0, 11]);
  const step = (x: number, by: readonly number[]) => code(get(x), by, add, set(x));
  const isLeft = (x: number) => code(get(x), i32(1), subtract, set(x), get(x));
  const vectors = (write: (v: number) => number[]) => [0, 1].flatMap(write);
  const tileRows = (write: (r: number) => number[]) => [0, 1, 2, 3].flatMap(write);

  const multiply = code(
    vectors((v) => code(get(q), load(16 * v), set(right(v)))),
    tileRows((r) =>
      code(
        code(get(p), splat(8 * r), set(factor)),
        vectors((v) => code(get(sum(r, v)), get(factor), get(right(v)), times, plus, set(sum(r, v)))),
      ),
    ),
    step(p, i32(8 * TILE)),
    step(q, i32(8 * TILE)),
  );
  const tile = code(
    code(get(b), set(q), get(p), get(depth), add, set(end)),
    tileRows((r) => vectors((v) => code(zero, set(sum(r, v))))),
    loop(multiply, code(get(p), get(end), isLess)),
    tileRows((r) =>
      code(
        vectors((v) => code(get(at), get(at), load(16 * v), get(sum(r, v)), plus, store(16 * v))),
        step(at, get(width)),
      ),
    ),
  );
  const strip = code(
    code(get(a), set(p), get(c), set(at), get(rows), set(i)),
    loop(tile, isLeft(i)),
    code(get(q), set(b)),
    step(c, i32(8 * TILE)),
  );
  const locals = list([
    [5, I32],
    [11, V128],
  ]);
  const body = code(locals, loop(strip, isLeft(columns)), [11]);
  return Uint8Array.from(
    code(
      [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      section(1, code([FUNCTION], list(new Array(7).fill([I32])), [0])),
      section(2, code(text("m"), text("m"), [2, 0, 0])),
      section(3, [0]),
      section(7, code(text("t"), [0, 0])),
      section(10, sized(body)),
    ),
  );
}
