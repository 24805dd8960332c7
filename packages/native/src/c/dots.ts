/** Dots: matrix products whose sums run along vectors, for few results of long sums. */

import type { Product } from "@adjoint/compiler/targets";
import type { Helpers } from "./helpers.ts";
import { elementType, type Form } from "./types.ts";

type Float = Product["dtype"];

/** A product [n, k] · [k, m] where a's rows and b's columns are contiguous, and so many elements apart, as c's rows are. */
export interface DotsShape {
  readonly dtype: Float;
  readonly n: number;
  readonly m: number;
  readonly k: number;
  readonly a: { readonly row: number };
  readonly b: { readonly column: number };
  readonly c: number;
}

/** Columns of b that sums are done for at a time. */
const WIDTH = 4;

/** The statements of a product: tiles of some rows by some columns, so that each number that is read is used by all of a tile. */
export function dots(shape: DotsShape, helpers: Helpers): string[] {
  const { n, m } = shape;
  // A tile's sums, a vector of each of its rows and one of a column: of 32 registers with the widest vectors, or of 16.
  const most = helpers.features.vectorBytes === 64 ? 6 : 2;
  const strips = Math.ceil(n / most);
  const rows = Math.ceil(n / strips);
  const tall = (n - strips * (rows - 1)) * rows;
  const lines: string[] = [];
  for (const [from, to, height] of [
    [0, tall, rows],
    [tall, n, rows - 1],
  ] as const) {
    if (from === to) continue;
    lines.push(`for (ptrdiff_t i = ${from}; i < ${to}; i += ${height}) {`, "  ptrdiff_t j = 0;");
    for (const width of [WIDTH, 1]) {
      if (m < width || (width === 1 && m % WIDTH === 0)) continue;
      lines.push(
        `  for (; j + ${width} <= ${m}; j += ${width}) {`,
        ...tile(shape, height, width, helpers).map((line) => `    ${line}`),
        "  }",
      );
    }
    lines.push("}");
  }
  return lines;
}

function tile({ dtype, k, a, b, c }: DotsShape, height: number, width: number, helpers: Helpers): string[] {
  const form = formOf(dtype, helpers);
  const { lanes } = form;
  const type = helpers.type(dtype, form);
  const element = elementType(dtype);
  const rows = Array.from({ length: height }, (_, r) => r);
  const columns = Array.from({ length: width }, (_, j) => j);
  const whole = k - (k % lanes);
  const terms = (at: string, count: number) => {
    const load = (from: string) => helpers.load(dtype, form, `${from} + ${at}`, count);
    return [
      ...rows.map((r) => `  const ${type} x${r} = ${load(`x + ${r * a.row}`)};`),
      ...columns.flatMap((j) => [
        `  const ${type} y${j} = ${load(`y + ${j * b.column}`)};`,
        ...rows.map((r) => `  s${r}_${j} = ${helpers.madd(dtype, form, `x${r}`, `y${j}`, `s${r}_${j}`)};`),
      ]),
    ];
  };
  const sums = rows.flatMap((r) => {
    const to = `c + (i + ${r}) * ${c} + j`;
    const own = columns.map((j) => `s${r}_${j}`);
    return width === WIDTH && lanes >= WIDTH
      ? [`${defineSums(helpers, dtype)}(${to}, ${own.join(", ")});`]
      : own.map((s, j) => `*(${to} + ${j}) = ${defineSum(helpers, dtype, form)}(${s});`);
  });
  return [
    `const ${element} *const x = a + i * ${a.row}, *const y = b + j * ${b.column};`,
    ...rows.map((r) => `${type} ${columns.map((j) => `s${r}_${j} = {0}`).join(", ")};`),
    ...[`for (ptrdiff_t l = 0; l < ${whole}; l += ${lanes}) {`, ...terms("l", lanes), "}"],
    ...(whole < k ? ["{", ...terms(String(whole), k - whole), "}"] : []),
    ...sums,
  ];
}

function formOf(dtype: Float, { features }: Helpers): Form {
  const bytes = dtype === "float64" ? 8 : 4;
  return { lanes: features.vectorBytes / bytes, mask: bytes };
}

/** Defines what puts the sums of the lanes of four vectors next to each other in memory. */
function defineSums(helpers: Helpers, dtype: Float): string {
  const form = formOf(dtype, helpers);
  const { lanes } = form;
  const type = helpers.type(dtype, form);
  const sum = defineSum(helpers, dtype, form);
  return helpers.define(`sums_${type}`, () => {
    // Two vectors become one with half as many lanes of each, in turn and in groups of so many.
    const met = (x: string, y: string, group: number) => {
      const lanesFrom = (start: number) =>
        Array.from({ length: lanes }, (_, l) => {
          const turn = Math.floor(l / group);
          return (turn % 2) * lanes + start + (turn >> 1) * group + (l % group);
        }).join(", ");
      return [0, lanes / 2].map((s) => `__builtin_shufflevector(${x}, ${y}, ${lanesFrom(s)})`).join(" + ");
    };
    const body = [
      `const ${type} ab = ${met("a", "b", 1)}, cd = ${met("c", "d", 1)}, all = ${met("ab", "cd", 2)};`,
    ];
    let last = "all";
    for (let left = lanes / 2; left >= WIDTH; left /= 2) {
      const half = helpers.type(dtype, { ...form, lanes: left });
      body.push(`${half} h${left}[2]; memcpy(h${left}, &${last}, sizeof ${last});`);
      body.push(`const ${half} s${left} = h${left}[0] + h${left}[1];`);
      last = `s${left}`;
    }
    const parameters = ["a", "b", "c", "d"];
    return [
      `static inline __attribute__((always_inline)) void sums_${type}(${elementType(dtype)} *to, ${parameters.map((x) => `${type} ${x}`).join(", ")})`,
      "#if HAS_BUILTIN(__builtin_shufflevector)",
      `{ ${body.join(" ")} memcpy(to, &${last}, sizeof ${last}); }`,
      "#else",
      `{ ${parameters.map((x, i) => `to[${i}] = ${sum}(${x});`).join(" ")} }`,
      "#endif",
    ].join("\n");
  });
}

/** Defines the sum of a vector's lanes, by halves. */
function defineSum(helpers: Helpers, dtype: Float, form: Form): string {
  const type = helpers.type(dtype, form);
  return helpers.define(`sum_${type}`, () => {
    const head = `static inline __attribute__((always_inline)) ${elementType(dtype)} sum_${type}(${type} x)`;
    if (form.lanes === 2) return `${head} { return x[0] + x[1]; }`;
    const half: Form = { ...form, lanes: form.lanes / 2 };
    const part = helpers.type(dtype, half);
    const inner = defineSum(helpers, dtype, half);
    return `${head} { ${part} h[2]; memcpy(h, &x, sizeof x); return ${inner}(h[0] + h[1]); }`;
  });
}
