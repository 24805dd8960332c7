/** Pool: the constants that vectors are loaded from. */

import type { ConstantPool } from "./numbers.ts";

/** Collects constants, each once, in 8 bytes each. */
export class Pool implements ConstantPool {
  readonly #start: number;
  readonly #entries = new Map<
    string,
    { readonly type: string; readonly value: number | bigint; readonly at: number }
  >();

  /** A pool of constants from an address on: the last thing in memory, since nobody knows how many there will be. */
  constructor(start: number) {
    this.#start = start;
  }

  /** The first address after the constants that there are. */
  get end(): number {
    return this.#start + 8 * this.#entries.size;
  }

  addressOf(type: "f32" | "f64" | "i32" | "i64", value: number | bigint): number {
    const key = `${type} ${Object.is(value, -0) ? "-0" : value}`;
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = { type, value, at: this.end };
      this.#entries.set(key, entry);
    }
    return entry.at;
  }

  /** Puts the constants where they belong. */
  write(memory: ArrayBuffer): void {
    const view = new DataView(memory);
    for (const { type, value, at } of this.#entries.values()) {
      if (type === "f32") view.setFloat32(at, value as number, true);
      else if (type === "f64") view.setFloat64(at, value as number, true);
      else if (type === "i32") view.setInt32(at, Number(value), true);
      else view.setBigUint64(at, value as bigint, true);
    }
  }
}
