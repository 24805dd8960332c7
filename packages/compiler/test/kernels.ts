/** Random passes over memory: instructions, loads and sinks of all kinds over spaces of all shapes. */

import type { DType, TypedArray } from "@adjoint/core";
import fc from "fast-check";
import { Body } from "../src/kernels/body.ts";
import { divide, type Portion } from "../src/kernels/divide.ts";
import type {
  Affine,
  Buffer,
  CalledFunction,
  Counter,
  Fold,
  Kernel,
  Operator,
  Place,
  Register,
  Statement,
} from "../src/kernels/language.ts";
import { fillOf, needsFill, nestOf, type Sink } from "../src/kernels/nest.ts";

/** Arrays by the buffers that they are. */
export type Memory = Map<Buffer, TypedArray>;

/** A pass over memory. */
export interface Pass {
  /** As the compiler nests it. */
  readonly kernel: Kernel;
  /** The same without any thought: all instructions in all iterations, and sinks that go to memory. */
  readonly plain: Kernel;
  readonly memory: Memory;
  /** What it writes, and which elements of it. */
  readonly written: ReadonlyMap<Buffer, ReadonlySet<number>>;
  /** Buffers whose numbers depend on the order of sums, or on functions that have two implementations. */
  readonly rounded: ReadonlySet<Buffer>;
}

const ARRAYS = { float64: Float64Array, float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;

/** Which dtypes meet in a pass: those of one width, all, or masks alone. */
const COMPANIES: readonly (readonly DType[])[] = [
  ["float64", "bool"],
  ["float32", "int32", "bool"],
  ["int32", "bool"],
  ["bool"],
  ["float64", "float32", "int32", "bool"],
];

const OWN: CalledFunction = { name: "own", compute: (a, b) => 2 * a - b };
const CALLS: readonly (readonly [CalledFunction, number])[] = [
  ...(["exp", "tanh", "sin", "log1p"] as const).map((name) => [{ name, compute: Math[name] }, 1] as const),
  [OWN, 2],
];

/** Numbers to choose by, one after the other. */
type Choose = (n: number) => number;

/** Passes that a list of numbers chooses. */
export const passes: fc.Arbitrary<Pass> = fc
  .array(fc.nat({ max: 999 }), { minLength: 20, maxLength: 90, size: "max" })
  .map((numbers) => {
    let at = 0;
    return passOf((n) => (numbers[at++ % numbers.length] as number) % n);
  });

function passOf(choose: Choose): Pass {
  const company = COMPANIES[choose(COMPANIES.length)] as readonly DType[];
  const pick = <T>(from: readonly T[]): T => from[choose(from.length)] as T;
  const counters = Array.from(
    { length: choose(4) },
    (_, id): Counter => ({ id, extent: pick([1, 2, 3, 4, 5, 7, 8, 9]) }),
  );
  const memory: Memory = new Map();
  const body = new Body();
  const registers: Register[] = [];
  /** Registers that do not come from calls: their bits are known. */
  const exact = new Set<Register>();
  const put = (r: Register, isExact = true) => {
    registers.push(r);
    if (isExact) exact.add(r);
    return r;
  };
  const buffer = (dtype: DType, size: number): Buffer => {
    const made: Buffer = { id: memory.size, dtype, size };
    const data = new ARRAYS[dtype](size).map((_, i) => ((i * i * 7 + i * 3 + made.id * 5) % 13) - 6);
    memory.set(
      made,
      dtype === "bool" ? data.map((x) => x & 1) : dtype === "int32" ? data : data.map((x) => x / 2),
    );
    return made;
  };
  const reach = ({ terms }: Affine) =>
    terms.reduce((sum, { counter, step }) => sum + Math.abs(step) * (counter.extent - 1), 0);
  const affine = (steps: readonly number[]): Affine => {
    const terms = counters.flatMap((counter, i) => {
      const step = steps[i] as number;
      return step === 0 || counter.extent === 1 ? [] : [{ counter, step }];
    });
    const lowest = terms.reduce(
      (sum, { counter, step }) => sum + Math.min(0, step * (counter.extent - 1)),
      0,
    );
    return { offset: choose(2) - lowest, terms };
  };
  const strides = counters.map((_, i) => counters.slice(i + 1).reduce((n, { extent }) => n * extent, 1));
  /** Whether most places are rows of rows, so that loops can be joined. */
  const isAligned = choose(3) === 0;
  const anywhere = () => {
    const still = choose(4) === 0 ? counters.length - 1 : -1;
    if (isAligned && choose(8) > 0) return affine(strides.map((step, i) => (i === still ? 0 : step)));
    return affine(counters.map((_, i) => (i === still ? 0 : choose(6) - 2)));
  };
  /** Meets no element twice: counters in some order, as digits. */
  const apart = () => {
    if (isAligned && choose(8) > 0) return affine(strides);
    const order = choose(2) === 0 ? counters : [...counters].reverse();
    const steps = new Map<Counter, number>();
    let step = 1;
    for (const counter of [...order].reverse()) {
      steps.set(counter, choose(5) === 0 ? -step : step);
      step *= counter.extent + (choose(4) === 0 ? 1 : 0);
    }
    return affine(counters.map((counter) => steps.get(counter) as number));
  };
  const place = (dtype: DType, at: Affine): Place => ({
    buffer: buffer(dtype, at.offset + reach(at) + 2),
    at,
    picked: null,
  });
  /** An index register of small numbers, and how far it reaches. */
  const picks = () => {
    const from = place("int32", anywhere());
    memory.set(
      from.buffer,
      (memory.get(from.buffer) as Int32Array).map((x) => (x + 6) % 4),
    );
    return { index: body.load(from), step: 1 + choose(3) };
  };
  const picking = (dtype: DType): Place => {
    const picked = picks();
    const at = anywhere();
    return { buffer: buffer(dtype, at.offset + reach(at) + 3 * picked.step + 1), at, picked };
  };

  for (const dtype of company) put(body.load(place(dtype, choose(3) === 0 ? apart() : anywhere())));
  const count = 2 + choose(10);
  for (let n = 0; n < count; n++) {
    const dtype = pick(company);
    const of = (wanted: DType, from: Iterable<Register> = registers): Register | undefined => {
      const all = [...from].filter((r) => r.dtype === wanted);
      return all.length === 0 ? undefined : pick(all);
    };
    const [a, b] = [of(dtype, exact) as Register, of(dtype, exact) as Register];
    const kind = choose(9);
    if (kind === 0) put(body.load(place(dtype, choose(2) === 0 ? apart() : anywhere())));
    else if (kind === 1) put(body.load(picking(dtype)));
    else if (kind === 2) put(body.constant(dtype, dtype === "bool" ? choose(2) : choose(9) - 4.5));
    else if (kind === 3 && dtype !== "bool")
      put(body.compute(pick<Operator>(["eq", "lt", "le"]), "bool", a, b));
    else if (kind === 4) put(body.compute("select", dtype, of("bool", exact) as Register, a, b));
    else if (kind === 5 && company.length > 2) put(body.convert(a, pick(company)));
    else if (kind === 6 && (dtype === "float64" || dtype === "float32")) {
      const [called, arity] = pick(CALLS);
      put(body.call(called, dtype, ...[a, b].slice(0, arity)), called === OWN);
    } else if (dtype === "bool") {
      const operator = pick<Operator>(["not", "and", "or"]);
      put(body.compute(operator, "bool", ...(operator === "not" ? [a] : [a, b])));
    } else {
      const unary: readonly Operator[] = ["neg", "abs"];
      const rounding: readonly Operator[] = ["sqrt", "floor", "ceil", "trunc", "nearest"];
      const binary: readonly Operator[] = ["add", "sub", "mul", "min", "max"];
      const isInteger = dtype === "int32";
      const operator = pick([...unary, ...binary, ...(isInteger ? [] : [...rounding, "div" as const])]);
      const isUnary = unary.includes(operator) || rounding.includes(operator);
      put(body.compute(operator, dtype, ...(isUnary ? [a] : [a, b])));
    }
  }

  const rounded = new Set<Buffer>();
  const sinks: Sink[] = [];
  for (let n = 1 + choose(4); n > 0; n--) {
    const from = pick(registers);
    const kind = choose(5);
    if (kind <= 1 || from.dtype === "bool")
      sinks.push({ to: place(from.dtype, apart()), from, fold: "store", last: false });
    else {
      const fold = pick<Fold>(["sum", "sum", "max", "min"]);
      // Some stand still along some axes, as sums over axes do.
      const own = choose(2) === 0 ? anywhere() : affine(counters.map(() => choose(2)));
      const to = kind === 2 ? picking(from.dtype) : place(from.dtype, own);
      sinks.push({ to, from, fold, last: false });
      if (fold === "sum" && from.dtype !== "int32") rounded.add(to.buffer);
    }
    if (!exact.has(from)) rounded.add((sinks.at(-1) as Sink).to.buffer);
  }
  // New data in the place of old.
  for (let n = choose(3); n > 0; n--) {
    const dtype = pick(company);
    const to = place(dtype, apart());
    put(body.load(to));
    const from = pick(registers.filter((r) => r.dtype === dtype));
    sinks.push({ to, from, fold: "store", last: true });
    if (!exact.has(from)) rounded.add(to.buffer);
  }

  const fills = (all: boolean): Statement[] =>
    sinks.flatMap((sink) =>
      sink.fold === "store" || !(all || needsFill(sink, counters)) ? [] : [fillOf(sink.to, sink.fold)],
    );
  const direct = sinks.map(
    ({ to, from, fold }): Statement =>
      fold === "store" ? { kind: "store", to, from } : { kind: "combine", to, fold, from },
  );
  const innermost: readonly Statement[] = [...body.instructions, ...direct];
  const loops = [...counters]
    .reverse()
    .reduce<readonly Statement[]>((inner, counter) => [{ kind: "loop", counter, body: inner }], innermost);
  const plain: Kernel = { name: "plain", body: [...fills(true), ...loops] };
  return {
    plain,
    kernel: { name: "nested", body: [...fills(false), ...nestOf(body, counters, sinks)] },
    memory,
    written: new Map(sinks.map(({ to }) => [to.buffer, elementsOf(to, counters)])),
    rounded,
  };
}

/** The elements that a place is over all iterations; all that it may pick. */
function elementsOf({ at, picked, buffer }: Place, counters: readonly Counter[]): Set<number> {
  // Whatever is picked from has been filled as a whole.
  if (picked !== null) return new Set(Array.from({ length: buffer.size }, (_, i) => i));
  let found = [at.offset];
  for (const { counter, step } of at.terms)
    found = found.flatMap((start) => Array.from({ length: counter.extent }, (_, i) => start + i * step));
  return counters.some(({ extent }) => extent === 0) ? new Set() : new Set(found);
}

/** A kernel's portions of so many parts, however little they are, and memory with room for what they hand on. */
export function divided({ kernel, memory }: Pass, parts: number): { portions: Portion[]; memory: Memory } {
  const room = copied(memory);
  let id = 1000;
  const portions = divide(
    kernel,
    parts,
    (dtype: DType, size: number): Buffer => {
      const buffer = { id: id++, dtype, size };
      // Whatever was there before must not matter.
      room.set(buffer, new ARRAYS[dtype](size).fill(77));
      return buffer;
    },
    0,
  );
  return { portions, memory: room };
}

/** A copy of memory. */
export function copied(memory: Memory): Memory {
  return new Map([...memory].map(([buffer, data]) => [buffer, data.slice()]));
}

/** Where two memories differ in what a pass writes, or null. */
export function difference({ written, rounded }: Pass, actual: Memory, expected: Memory): string | null {
  for (const [buffer, elements] of written) {
    const [a, b] = [actual.get(buffer) as TypedArray, expected.get(buffer) as TypedArray];
    const scale = rounded.has(buffer) ? Math.max(1, ...Array.from(b, Math.abs).filter(Number.isFinite)) : 0;
    const bound = (buffer.dtype === "float32" ? 1e-5 : 1e-12) * scale;
    for (const i of elements) {
      const [x, y] = [a[i] as number, b[i] as number];
      if (Object.is(x, y) || x === y || Math.abs(x - y) <= bound) continue;
      return `b${buffer.id}[${i}] ${buffer.dtype}: ${x} for ${y}`;
    }
  }
  return null;
}
