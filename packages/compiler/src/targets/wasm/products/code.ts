/** Pieces of code that products are made of: loops over blocks, pointers, vectors that are not whole. */

import type { FunctionBuilder, LoadOpcode, Local, Opcode } from "../assembler.ts";

/** The instructions for vectors of a dtype. */
export interface Lanes {
  /** Numbers in a vector. */
  readonly count: number;
  /** Bytes of a number. */
  readonly bytes: number;
  readonly splat: LoadOpcode;
  readonly add: Opcode;
  readonly mul: Opcode;
  readonly madd: Opcode;
}

const lanes: Readonly<Record<"float32" | "float64", Lanes>> = {
  float32: {
    count: 4,
    bytes: 4,
    splat: "v128.load32_splat",
    add: "f32x4.add",
    mul: "f32x4.mul",
    madd: "f32x4.relaxed_madd",
  },
  float64: {
    count: 2,
    bytes: 8,
    splat: "v128.load64_splat",
    add: "f64x2.add",
    mul: "f64x2.mul",
    madd: "f64x2.relaxed_madd",
  },
};

/** The instructions for vectors of the dtype. */
export const lanesOf = (dtype: "float32" | "float64"): Lanes => lanes[dtype];

/** Bytes of a vector. */
export const vectorBytes = 16;

/** How many lanes of each vector are used, for so many columns side by side: all, but perhaps of the last. */
export function vectorsOf({ count }: Lanes, columns: number): number[] {
  const whole = Array<number>(Math.floor(columns / count)).fill(count);
  return columns % count === 0 ? whole : [...whole, columns % count];
}

/** sum = sum + a·b, rounded once if fused and twice otherwise. */
export function multiplyAdd(
  f: FunctionBuilder,
  { add, mul, madd }: Lanes,
  fused: boolean,
  sum: Local,
  a: Local,
  b: Local,
): void {
  if (fused) f.get(a).get(b).get(sum).op(madd).set(sum);
  else f.get(sum).get(a).get(b).op(mul).op(add).set(sum);
}

/** Leaves the first `used` numbers at an address plus an offset on the stack, zeros after them; reads no others. */
export function loadLanes(
  f: FunctionBuilder,
  { bytes }: Lanes,
  used: number,
  at: Local,
  offset: number,
): void {
  const size = used * bytes;
  if (size === vectorBytes) f.get(at).load("v128.load", offset);
  else if (size === 4) f.get(at).load("v128.load32_zero", offset);
  else if (size === 8) f.get(at).load("v128.load64_zero", offset);
  else
    f.get(at)
      .get(at)
      .load("v128.load64_zero", offset)
      .laneMemory("v128.load32_lane", 2, offset + 8);
}

/** Writes the first `used` numbers of a variable to an address plus an offset, and no others. */
export function storeLanes(
  f: FunctionBuilder,
  { bytes }: Lanes,
  used: number,
  at: Local,
  offset: number,
  x: Local,
): void {
  const size = used * bytes;
  if (size === vectorBytes) f.get(at).get(x).store("v128.store", offset);
  else if (size === 4) f.get(at).get(x).laneMemory("v128.store32_lane", 0, offset);
  else {
    f.get(at).get(x).laneMemory("v128.store64_lane", 0, offset);
    if (size === 12)
      f.get(at)
        .get(x)
        .laneMemory("v128.store32_lane", 2, offset + 8);
  }
}

/** Leaves a vector of the numbered lanes of two variables on the stack, the second's counted on from the first's. */
export function pick(
  f: FunctionBuilder,
  { bytes }: Lanes,
  x: Local,
  y: Local,
  from: readonly number[],
): void {
  f.get(x).get(y);
  f.shuffle(from.flatMap((lane) => Array.from({ length: bytes }, (_, i) => lane * bytes + i)));
}

/** Leaves an address on the stack: a pointer plus so many times a number of bytes. */
export function address(f: FunctionBuilder, pointer: Local, times: Local, bytes: number): void {
  f.get(pointer).get(times).i32(bytes).op("i32.mul").op("i32.add");
}

/** Moves a pointer. */
export function advance(f: FunctionBuilder, pointer: Local, bytes: number): void {
  if (bytes !== 0) f.get(pointer).i32(bytes).op("i32.add").set(pointer);
}

/** Runs the body, which moves the pointer, until that is no longer below an end; once at least. */
export function below(f: FunctionBuilder, pointer: Local, end: Local, body: () => void): void {
  f.loop((head) => {
    body();
    f.get(pointer).get(end).op("i32.lt_u").branchIf(head);
  });
}

/** Runs the body so many times, perhaps never. The variable counts down to 0. */
export function times(f: FunctionBuilder, count: Local, body: () => void): void {
  f.block((end) => {
    f.loop((head) => {
      f.get(count).op("i32.eqz").branchIf(end);
      body();
      f.get(count).i32(1).op("i32.sub").set(count).branch(head);
    });
  });
}

/** Divides a range into blocks of a size, the last one perhaps smaller: gives the body a block's start and its size. */
export function blocks(
  f: FunctionBuilder,
  from: Local,
  to: Local,
  size: number,
  body: (start: Local, count: Local) => void,
): void {
  const start = f.local("i32");
  const count = f.local("i32");
  f.get(from).set(start);
  f.block((end) => {
    f.loop((head) => {
      f.get(start).get(to).op("i32.ge_s").branchIf(end);
      f.get(to).get(start).op("i32.sub").set(count);
      atMost(f, count, size);
      body(start, count);
      f.get(start).i32(size).op("i32.add").set(start).branch(head);
    });
  });
}

/** Lowers a variable to a limit that it exceeds. */
export function atMost(f: FunctionBuilder, x: Local, limit: number): void {
  f.get(x).i32(limit).get(x).i32(limit).op("i32.lt_s").op("select").set(x);
}
