/** Pool: the constants that vectors are loaded from. */

import type { ConstantPool } from "./numbers.ts";

/** Collects constants, each once, in 8 bytes each. */
export class Pool implements ConstantPool {
  readonly #start: number;
  readonly #room: number;
  readonly #entries = new Map<
    string,
    { readonly type: string; readonly value: number | bigint; readonly at: number }
  >();

  /** A pool with room for a number of constants from an address on. */
  constructor(start: number, room: number) {
    this.#start = start;
    this.#room = room;
  }

  addressOf(type: "f32" | "f64" | "i32" | "i64", value: number | bigint): number {
    const key = `${type} ${Object.is(value, -0) ? "-0" : value}`;
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      if (this.#entries.size === this.#room)
        throw new Error(`a pool must hold at most ${this.#room} constants`);
      entry = { type, value, at: this.#start + 8 * this.#entries.size };
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
