/** Matrix products in C: a function for each shape and layout, of tiles that stay in registers. */

import type { Product } from "@adjoint/compiler/targets";
import { dots } from "./dots.ts";
import type { Helpers } from "./helpers.ts";
import { elementType, type Form } from "./types.ts";

type Float = Product["dtype"];

/** What a product is, apart from where its matrices are: rows and columns of a and b are so many elements apart. */
export interface ProductShape {
  readonly dtype: Float;
  readonly n: number;
  readonly m: number;
  readonly k: number;
  readonly a: Layout;
  readonly b: Layout;
  readonly c: number;
}

interface Layout {
  readonly row: number;
  readonly column: number;
}

/** How many terms of sums are done in a row: a panel of b of so many rows stays in the first-level cache. */
const DEPTH = 192;
/** Rows of a that are packed at a time, at least, and columns of b at most. */
const ROWS = 96;
const COLUMNS = 512;
/** Products of fewer multiplications are plain loops. */
const PLAIN = 64;

/** Bytes of memory that a product needs besides its matrices. */
export function productWorkspace(shape: ProductShape, helpers: Helpers): number {
  const plan = planOf(shape, helpers);
  return plan === null ? 0 : plan.bytes * (plan.packedA + plan.packedB) + 256;
}

/** The matrix of a product that may be read a little beyond its end, since vectors are read whole; null where none is. */
export function readBeyond(given: ProductShape, helpers: Helpers): "a" | "b" | null {
  const shape = oriented(given);
  const lanes = helpers.features.vectorBytes / (given.dtype === "float64" ? 8 : 4);
  if (isPlain(given, helpers) || isDots(shape, helpers) || shape.m % lanes === 0) return null;
  return shape === given ? "b" : "a";
}

/** Defines the function of a product, of its matrices and a workspace; its name. */
export function defineProduct(given: ProductShape, helpers: Helpers): string {
  const type = elementType(given.dtype);
  const { n, m, k, a, b, c } = given;
  const layout = ({ row, column }: Layout) => `${row}_${column}`;
  const name = `product_${given.dtype === "float64" ? "f64" : "f32"}_${n}x${k}x${m}_${layout(a)}_${layout(b)}_${c}`;
  return helpers.define(name, () => {
    const head = `/* c = a b, [${n} x ${k}] times [${k} x ${m}]: rows and columns of a lie ${a.row} and ${a.column} apart, those of b ${b.row} and ${b.column}. */\nKERNEL void ${name}(const ${type} *restrict a, const ${type} *restrict b, ${type} *restrict c, ${type} *restrict work) {`;
    return [head, ...bodyOf(given, helpers).map((line) => `  ${line}`), "}"].join("\n");
  });
}

function bodyOf(given: ProductShape, helpers: Helpers): string[] {
  if (isPlain(given, helpers)) return ["(void)work;", ...plainLoops(given)];
  const shape = oriented(given);
  const swap = shape === given ? [] : [`const ${elementType(given.dtype)} *const x = a;`, "a = b;", "b = x;"];
  if (isDots(shape, helpers)) return [...swap, "(void)work;", ...dots(shape, helpers)];
  return [...swap, ...tiles(shape, helpers)];
}

const isPlain = ({ n, m, k }: ProductShape, { features }: Helpers) =>
  n * m * k <= PLAIN || features.vectorBytes === 0;

/** A column of c is computed as a row of its transpose, unless rows of a can be read along sums. */
function oriented(shape: ProductShape): ProductShape {
  const { n, m, a, b, c } = shape;
  if (m !== 1 || a.column === 1 || c !== 1) return shape;
  const flip = ({ row, column }: Layout): Layout => ({ row: column, column: row });
  return { ...shape, n: 1, m: n, a: flip(b), b: flip(a), c: n };
}

/** Whether sums run along vectors: rows of a and columns of b contiguous, and few results of long sums. */
function isDots({ dtype, n, m, k, a, b }: ProductShape, { features }: Helpers): boolean {
  const lanes = features.vectorBytes / (dtype === "float64" ? 8 : 4);
  return a.column === 1 && b.row === 1 && k >= lanes && (m <= 4 || (n <= 8 && b.column !== 1));
}

function plainLoops({ dtype, n, m, k, a, b, c }: ProductShape): string[] {
  const type = elementType(dtype);
  const at = (...terms: readonly [name: string, step: number][]) =>
    terms.map(([name, step]) => (step === 1 ? name : `${name} * ${step}`)).join(" + ");
  const left = `a[${at(["i", a.row], ["l", a.column])}]`;
  const right = `b[${at(["l", b.row], ["j", b.column])}]`;
  const result = `c[${at(["i", c], ["j", 1])}]`;
  if (b.column === 1 && m > 1) {
    return [
      `for (ptrdiff_t i = 0; i < ${n}; i++) {`,
      `  for (ptrdiff_t j = 0; j < ${m}; j++) ${result} = 0;`,
      `  for (ptrdiff_t l = 0; l < ${k}; l++) {`,
      `    const ${type} x = ${left};`,
      `    for (ptrdiff_t j = 0; j < ${m}; j++) ${result} += x * ${right};`,
      "  }",
      "}",
    ];
  }
  return [
    `for (ptrdiff_t i = 0; i < ${n}; i++)`,
    `  for (ptrdiff_t j = 0; j < ${m}; j++) {`,
    `    ${type} sum = 0;`,
    `    for (ptrdiff_t l = 0; l < ${k}; l++) sum += ${left} * ${right};`,
    `    ${result} = sum;`,
    "  }",
  ];
}

/** How a product is divided. */
interface Plan {
  readonly bytes: number;
  readonly lanes: number;
  /** Vectors of a tile's row; rows of the taller and the lower tiles, and how many strips have these. */
  readonly vectors: number;
  readonly rows: number;
  readonly strips: number;
  readonly tall: number;
  readonly depth: number;
  /** Columns of b in a block, and strips of a. */
  readonly columns: number;
  readonly block: number;
  /** Elements of the workspace for each; 0 where it is read in place. */
  readonly packedA: number;
  readonly packedB: number;
}

function planOf(given: ProductShape, helpers: Helpers): Plan | null {
  if (isPlain(given, helpers)) return null;
  const { dtype, n, m, k, a, b } = oriented(given);
  if (isDots(oriented(given), helpers)) return null;
  const { vectorBytes } = helpers.features;
  const bytes = dtype === "float64" ? 8 : 4;
  const lanes = vectorBytes / bytes;
  // Of 32 registers with the widest vectors, otherwise of 16.
  const registers = vectorBytes === 64 ? 24 : 12;
  const vectors = m <= lanes ? 1 : n <= 2 ? 4 : 2;
  const most = Math.min(registers / vectors, 14);
  const strips = Math.ceil(n / most);
  const rows = Math.ceil(n / strips);
  const width = lanes * vectors;
  const depth = k <= 256 ? k : Math.ceil(k / Math.ceil(k / DEPTH));
  const columns = Math.min(Math.ceil(m / width) * width, COLUMNS);
  const block = Math.max(1, Math.min(strips, Math.floor(ROWS / rows)));
  const reuse = strips > 3 && k * m * bytes > 24576;
  const packsB = b.column !== 1 || reuse;
  const packsA = m > 2 * width && n * k * bytes > 65536 && (a.column !== 1 || a.row * bytes > 2048);
  return {
    bytes,
    lanes,
    vectors,
    rows,
    strips,
    tall: n - strips * (rows - 1),
    depth,
    columns,
    block,
    packedA: packsA ? block * rows * depth : 0,
    packedB: packsB ? columns * depth : 0,
  };
}

/** Blocks of columns, of terms and of rows; in them, panels of b by strips of a. */
function tiles(shape: ProductShape, helpers: Helpers): string[] {
  const { dtype, m, k, a, b, c } = shape;
  const plan = planOf(shape, helpers) as Plan;
  const { lanes, vectors, rows, strips, tall, depth, columns, block, packedA, packedB } = plan;
  const type = elementType(dtype);
  const width = lanes * vectors;
  const lines: string[] = [];
  const packs = packedB > 0;
  const line = (depthOf: number, text: string) => lines.push("  ".repeat(depthOf) + text);
  if (packedA + packedB === 0) line(0, "(void)work;");
  if (packedA > 0) line(0, `${type} *const packed = work + ${packedB};`);
  line(0, `for (ptrdiff_t j0 = 0; j0 < ${m}; j0 += ${columns}) {`);
  line(1, `const ptrdiff_t j1 = j0 + ${columns} < ${m} ? j0 + ${columns} : ${m};`);
  line(1, `for (ptrdiff_t l0 = 0; l0 < ${k}; l0 += ${depth}) {`);
  line(2, `const ptrdiff_t terms = l0 + ${depth} < ${k} ? ${depth} : ${k} - l0;`);
  if (packs) {
    line(2, `for (ptrdiff_t j = j0; j < j1; j += ${width}) {`);
    line(3, `const ptrdiff_t count = j + ${width} < j1 ? ${width} : j1 - j;`);
    line(3, `${type} *const to = work + (j - j0) * terms;`);
    line(3, `const ${type} *const from = b + l0 * ${b.row} + j * ${b.column};`);
    if (b.column === 1) {
      line(
        3,
        `for (ptrdiff_t l = 0; l < terms; l++) for (ptrdiff_t x = 0; x < count; x++) to[l * ${width} + x] = from[l * ${b.row} + x];`,
      );
    } else {
      const squares = b.row === 1 && lanes > 1 && Math.min(k, m) >= lanes;
      const [across, along] = squares ? [`count - count % ${lanes}`, `terms - terms % ${lanes}`] : ["0", "0"];
      line(3, `const ptrdiff_t across = ${across}, along = ${along};`);
      if (squares) {
        const transpose = helpers.transpose(dtype, { lanes, mask: dtype === "float64" ? 8 : 4 });
        line(
          3,
          `for (ptrdiff_t x = 0; x < across; x += ${lanes}) for (ptrdiff_t l = 0; l < along; l += ${lanes}) ${transpose}(from + x * ${b.column} + l, ${b.column}, to + l * ${width} + x, ${width});`,
        );
      }
      line(
        3,
        `for (ptrdiff_t x = 0; x < count; x++) for (ptrdiff_t l = x < across ? along : 0; l < terms; l++) to[l * ${width} + x] = from[l * ${b.row} + x * ${b.column}];`,
      );
    }
    line(2, "}");
  }
  const groups: readonly (readonly [from: number, to: number, height: number, start: number])[] = [
    [0, tall, rows, 0],
    [tall, strips, rows - 1, tall * rows],
  ];
  for (const [from, to, height, start] of groups) {
    if (from === to || height === 0) continue;
    line(2, `for (ptrdiff_t s0 = 0; s0 < ${to - from}; s0 += ${block}) {`);
    line(3, `const ptrdiff_t s1 = s0 + ${block} < ${to - from} ? s0 + ${block} : ${to - from};`);
    if (packedA > 0) {
      line(3, "for (ptrdiff_t s = s0; s < s1; s++) {");
      line(4, `${type} *const to = packed + (s - s0) * ${height} * terms;`);
      line(4, `const ${type} *const from = a + (${start} + s * ${height}) * ${a.row} + l0 * ${a.column};`);
      line(
        4,
        a.column === 1
          ? `for (ptrdiff_t i = 0; i < ${height}; i++) for (ptrdiff_t l = 0; l < terms; l++) to[l * ${height} + i] = from[i * ${a.row} + l];`
          : `for (ptrdiff_t l = 0; l < terms; l++) for (ptrdiff_t i = 0; i < ${height}; i++) to[l * ${height} + i] = from[i * ${a.row} + l * ${a.column}];`,
      );
      line(3, "}");
    }
    const edge = m % width;
    const panels = (loop: string, count: number) => {
      const used = Math.ceil(count / lanes);
      const last = count - (used - 1) * lanes;
      const called = defineTile(helpers, dtype, height, used, last);
      line(3, loop);
      const bAt = packs ? "work + (j - j0) * terms" : `b + l0 * ${b.row} + j`;
      const bRow = packs ? String(width) : String(b.row);
      line(4, `for (ptrdiff_t s = s0; s < s1; s++) {`);
      line(5, `${type} *const to = c + (${start} + s * ${height}) * ${c} + j;`);
      const aAt =
        packedA > 0
          ? `packed + (s - s0) * ${height} * terms, 1, ${height}`
          : `a + (${start} + s * ${height}) * ${a.row} + l0 * ${a.column}, ${a.row}, ${a.column}`;
      line(5, `${called}(terms, ${aAt}, ${bAt}, ${bRow}, to, ${c}, ${k > depth ? "l0 > 0" : "0"});`);
      line(4, "}");
    };
    const wholes = m - edge;
    if (wholes > 0)
      panels(`for (ptrdiff_t j = j0; j < (j1 < ${wholes} ? j1 : ${wholes}); j += ${width})`, width);
    if (edge > 0) panels(`for (ptrdiff_t j = ${wholes}; j >= j0 && j < j1; j += ${width})`, edge);
    line(2, "}");
  }
  line(1, "}");
  line(0, "}");
  return lines;
}

/** Defines the product of a few rows of a by a panel of b, which is added to c or put there. */
function defineTile(helpers: Helpers, dtype: Float, rows: number, vectors: number, last: number): string {
  const lanes = helpers.features.vectorBytes / (dtype === "float64" ? 8 : 4);
  const form: Form = { lanes, mask: dtype === "float64" ? 8 : 4 };
  const type = helpers.type(dtype, form);
  const element = elementType(dtype);
  const name = `tile_${type}_${rows}x${vectors}${last === lanes ? "" : `_${last}`}`;
  return helpers.define(name, () => {
    const row = Array.from({ length: rows }, (_, i) => i);
    const column = Array.from({ length: vectors }, (_, v) => v);
    const lines = [
      `static inline __attribute__((always_inline)) void ${name}(ptrdiff_t k, const ${element} *restrict a, ptrdiff_t a_row, ptrdiff_t a_column, const ${element} *restrict b, ptrdiff_t b_row, ${element} *restrict c, ptrdiff_t c_row, int adds) {`,
    ];
    for (const i of row) lines.push(`  ${type} ${column.map((v) => `s${i}_${v} = {0}`).join(", ")};`);
    lines.push("  for (ptrdiff_t l = 0; l < k; l++, a += a_column, b += b_row) {");
    for (const v of column)
      lines.push(`    const ${type} b${v} = ${helpers.load(dtype, form, `b + ${v * lanes}`, lanes)};`);
    for (const i of row) {
      lines.push(`    const ${type} a${i} = ${helpers.splat(dtype, form, `a[${i} * a_row]`)};`);
      for (const v of column)
        lines.push(`    s${i}_${v} = ${helpers.madd(dtype, form, `a${i}`, `b${v}`, `s${i}_${v}`)};`);
    }
    lines.push("  }");
    for (const i of row)
      for (const v of column) {
        const count = v === vectors - 1 ? last : lanes;
        const at = `c + ${i} * c_row + ${v * lanes}`;
        lines.push(
          `  if (adds) s${i}_${v} += ${helpers.load(dtype, form, at, count)};`,
          `  ${helpers.store(dtype, form, at, `s${i}_${v}`, count)}`,
        );
      }
    lines.push("}");
    return lines.join("\n");
  });
}
