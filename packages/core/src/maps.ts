/** Maps: expressions of the scalar language over all elements of tensors, as loops that are generated or, where that is forbidden, closures. */

import { type Expression, integers, numbers } from "./arithmetic.ts";
import { allocate, type DType, type TypedArray } from "./dtype.ts";
import { generate, generatesCode, trace } from "./generation.ts";
import { broadcastLoops } from "./loops.ts";
import { type Shape, sameShape } from "./shape.ts";
import type { Value } from "./value.ts";

/** An expression applied to every element of its operands. */
export interface ElementwiseMap {
  /** Whether the expression uses an operand. */
  reads(operand: number): boolean;
  /** Whether the expression is nothing but an operand. */
  returns(operand: number): boolean;
  /** Writes the results into `out`, or adds them to it; `compute` is the dtype that the operands meet in. */
  run(compute: DType, shape: Shape, out: TypedArray, operands: readonly Value[], accumulate: boolean): void;
}

/**
 * Two nested loops over `outer` × `inner` elements of `out` from `o` on. Operand k is read from `arrays[k]`, beginning
 * at `starts[k]` and stepping by `strides[k]` from one run of the inner loop to the next.
 */
type Kernel = (
  outer: number,
  inner: number,
  out: TypedArray,
  o: number,
  arrays: readonly TypedArray[],
  starts: ArrayLike<number>,
  strides: ArrayLike<number>,
) => void;

/** How one kernel differs from others of the same expression. */
interface KernelVariant {
  /** The operands that the expression uses; the others are not passed. */
  readonly used: readonly number[];
  /** For each of them, its step in the inner loop: 0 or 1. */
  readonly steps: readonly number[];
  /** Whether products wrap at 32 bits. */
  readonly wraps: boolean;
  /** Whether terms of sums are rounded to float32. */
  readonly rounds: boolean;
  /** Whether results are added to what is there. */
  readonly accumulate: boolean;
}

const ZEROS = new Int32Array(8);

export function mapOf({
  name,
  arity,
  expression,
}: {
  name: string;
  arity: number;
  expression: Expression;
}): ElementwiseMap {
  // One kernel for each combination of dtypes and steps, so that each sees one kind of array.
  const kernels = new Map<number, Kernel>();
  let known: { used: readonly number[]; result: string } | null = null;
  const analysis = () => {
    if (known === null) {
      const { statements, result } = trace(expression, arity, false);
      const text = `${statements.join("\n")}\n${result}`;
      const used = Array.from({ length: arity }, (_, k) => k).filter((k) =>
        new RegExp(`\\bx${k}\\b`).test(text),
      );
      known = { used, result };
    }
    return known;
  };
  const kernelFor = (key: number, variant: KernelVariant): Kernel => {
    let kernel = kernels.get(key);
    if (kernel === undefined) {
      kernel = generatesCode()
        ? compileKernel(name, expression, arity, variant)
        : closureKernel(expression, arity, variant);
      kernels.set(key, kernel);
    }
    return kernel;
  };
  return {
    reads: (operand) => analysis().used.includes(operand),
    returns: (operand) => analysis().result === `x${operand}`,
    run(compute, shape, out, xs, accumulate) {
      const { used } = analysis();
      const wraps = compute === "int32";
      const rounds = compute === "float32";
      const arrays: TypedArray[] = [];
      const steps: number[] = [];
      // A leading 1, so that keys of different length differ.
      let key = 8 | (CODE[compute] << 1) | (accumulate ? 1 : 0);
      let flat = true;
      for (let n = 0; n < used.length; n++) {
        const x = xs[used[n] as number] as Value;
        const scalar = typeof x.storage === "number";
        arrays.push(arrayOf(x, compute));
        steps.push(x.type.size === 1 ? 0 : 1);
        key = (key << 3) | (CODE[scalar ? compute : x.type.dtype] << 1) | (steps[n] as number);
        if (x.type.size !== 1 && !sameShape(x.type.shape, shape)) flat = false;
      }
      if (flat) {
        kernelFor(key, { used, steps, wraps, rounds, accumulate })(
          1,
          out.length,
          out,
          0,
          arrays,
          ZEROS,
          ZEROS,
        );
        return;
      }
      const loops = broadcastLoops(
        shape,
        used.map((k) => (xs[k] as Value).shape),
      );
      const { outer, inner, outerStrides, innerStrides, runs, starts } = loops;
      key = innerStrides.reduce((bits, step) => (bits << 1) | step, key);
      const kernel = kernelFor(key, { used, steps: innerStrides, wraps, rounds, accumulate });
      for (let run = 0; run < runs; run++) {
        const from = starts.map((offsets) => offsets[run] as number);
        kernel(outer, inner, out, run * outer * inner, arrays, from, outerStrides);
      }
    },
  };
}

/** Two bits for a dtype, in keys of kernels. */
const CODE: Record<DType, number> = { float64: 0, float32: 1, int32: 2, bool: 3 };

/** A value's elements as an array; a scalar is rounded to the dtype that it meets others in. */
function arrayOf(x: Value, compute: DType): TypedArray {
  if (typeof x.storage !== "number") return x.storage as TypedArray;
  const array = allocate(compute, 1);
  array[0] = x.storage;
  return array;
}

function compileKernel(name: string, expression: Expression, arity: number, variant: KernelVariant): Kernel {
  const { used, steps, wraps, rounds, accumulate } = variant;
  const scope = {};
  const { statements, result } = trace(expression, arity, wraps, scope);
  // A float32 sum adds terms that are rounded themselves, as it does where each is an array of its own.
  const store = (y: string) => (accumulate ? `+= ${rounds ? `Math.fround(${y})` : y}` : `= ${y}`);
  const each = (step: number, line: (k: number, n: number) => string) =>
    used.map((k, n) => (steps[n] === step ? line(k, n) : "")).join("");
  const element = (i: string) => `{
        ${each(1, (k) => `const x${k} = a${k}[i${k} + ${i}];`)}
        ${statements.join("\n        ")}
        out[o + ${i}] ${store(result)};
      }`;
  // Four elements an iteration: V8 checks and counts once for them (docs/decisions/0004-eager-loops.md).
  const source = `return function ${name}(outer, inner, out, o, arrays, starts, strides) {
  ${used.map((k, n) => `const a${k} = arrays[${n}]; let i${k} = starts[${n}];`).join("\n  ")}
  for (let j = 0; j < outer; j++) {
    ${each(0, (k) => `const x${k} = a${k}[i${k}];`)}
    let i = 0;
    for (; i + 3 < inner; i += 4) {
      ${["i", "i + 1", "i + 2", "i + 3"].map(element).join(" ")}
    }
    for (; i < inner; i++) ${element("i")}
    o += inner;
    ${used.map((k, n) => `i${k} += strides[${n}];`).join(" ")}
  }
}`;
  return generate(source, scope) as Kernel;
}

/** The same kernel without code generation. */
function closureKernel(expression: Expression, arity: number, variant: KernelVariant): Kernel {
  const { used, steps, wraps, rounds, accumulate } = variant;
  const m = wraps ? integers : numbers;
  const xs = new Array<number>(arity).fill(0);
  return (outer, inner, out, o, arrays, starts, strides) => {
    for (let j = 0; j < outer; j++) {
      for (let i = 0; i < inner; i++, o++) {
        for (let n = 0; n < used.length; n++) {
          const at = (starts[n] as number) + j * (strides[n] as number) + i * (steps[n] as number);
          xs[used[n] as number] = (arrays[n] as TypedArray)[at] as number;
        }
        const y = expression(xs, m);
        out[o] = accumulate ? (out[o] as number) + (rounds ? Math.fround(y) : y) : y;
      }
    }
  };
}
