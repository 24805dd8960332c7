/** Addresses in innermost loops: of what moves with the loop and what stands still in it. */

import type { Buffer, Counter, Place, Statement } from "../../kernels/language.ts";
import { bytesOf } from "../../memory/arena.ts";
import type { FunctionBuilder, Local } from "./assembler.ts";

type Loop = Extract<Statement, { kind: "loop" }>;

/** Puts the variable part of a place's address on the stack, never negative, and returns what is to be added to it. */
export interface Addresses {
  address(place: Place, lane: number): number;
  /** How many elements a place moves when the loop does once. */
  stepOf(place: Place): number;
}

/** The addresses of an innermost loop: what moves is added to what stands still, which is computed before the loop. */
export class Induction implements Addresses {
  readonly #f: FunctionBuilder;
  readonly #counter: Counter;
  readonly #counterOf: (counter: Counter) => Local;
  readonly #addressOf: (buffer: Buffer) => number;
  /** Variables that hold the counter in bytes, by how many bytes it steps. */
  readonly #moving = new Map<number, Local>();
  /** Sums of the other counters in bytes, by what they are. */
  readonly #standing = new Map<string, Local>();

  constructor(
    f: FunctionBuilder,
    { counter, body }: Loop,
    counterOf: (counter: Counter) => Local,
    addressOf: (buffer: Buffer) => number,
  ) {
    this.#f = f;
    this.#addressOf = addressOf;
    this.#counter = counter;
    this.#counterOf = counterOf;
    for (const s of body) {
      const place = placeOf(s);
      if (place !== null) this.#prepare(place);
    }
    if (this.#moving.size === 0) this.#moving.set(1, f.local("i32"));
    for (const [, local] of this.#moving) f.i32(0).set(local);
  }

  /** Goes through `count` elements, `width` at a time, from where it stands. */
  loop(count: number, width: number, body: () => void): void {
    const f = this.#f;
    const [[first, local] = [1, f.local("i32")]] = this.#moving;
    const end = f.local("i32");
    f.get(local)
      .i32(count * first)
      .op("i32.add")
      .set(end);
    f.loop((head) => {
      body();
      for (const [bytes, moving] of this.#moving)
        f.get(moving)
          .i32(bytes * width)
          .op("i32.add")
          .set(moving);
      f.get(local).get(end).op("i32.ne").branchIf(head);
    });
  }

  address(place: Place, lane: number): number {
    const f = this.#f;
    const bytes = bytesOf(place.buffer.dtype);
    const step = this.stepOf(place);
    const standing = this.#standing.get(keyOf(place, this.#counter));
    const moving = step === 0 ? undefined : this.#moving.get(step * bytes);
    if (standing !== undefined) f.get(standing);
    if (moving !== undefined) f.get(moving);
    if (standing !== undefined && moving !== undefined) f.op("i32.add");
    if (standing === undefined && moving === undefined) f.i32(0);
    const offset = this.#addressOf(place.buffer) + (place.at.offset + lane * step) * bytes;
    if (place.at.terms.every((term) => term.step > 0)) return offset;
    f.i32(offset).op("i32.add");
    return 0;
  }

  /** How many elements a place moves when the loop does once. */
  stepOf({ at }: Place): number {
    return at.terms.find(({ counter }) => counter === this.#counter)?.step ?? 0;
  }

  #prepare(place: Place): void {
    const f = this.#f;
    const bytes = bytesOf(place.buffer.dtype);
    const step = this.stepOf(place);
    if (step !== 0 && !this.#moving.has(step * bytes)) this.#moving.set(step * bytes, f.local("i32"));
    const key = keyOf(place, this.#counter);
    if (key === "" || this.#standing.has(key)) return;
    f.i32(0);
    for (const term of place.at.terms) {
      if (term.counter === this.#counter) continue;
      f.get(this.#counterOf(term.counter))
        .i32(term.step * bytes)
        .op("i32.mul")
        .op("i32.add");
    }
    const local = f.local("i32");
    f.set(local);
    this.#standing.set(key, local);
  }
}

function keyOf({ at, buffer }: Place, inner: Counter): string {
  const bytes = bytesOf(buffer.dtype);
  return at.terms
    .filter(({ counter }) => counter !== inner)
    .map(({ counter, step }) => `${counter.id}:${step * bytes}`)
    .join(" ");
}

/** The place that a statement reads or writes; null where it does neither. */
function placeOf(s: Statement): Place | null {
  if (s.kind === "load") return s.from;
  return s.kind === "store" || s.kind === "combine" ? s.to : null;
}
