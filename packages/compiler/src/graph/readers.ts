/** Readers: who reads each node of a flow. */

import type { FlowNode } from "./flow.ts";
import type { Group, Member } from "./groups.ts";

/** Who reads a node: a member of a group, element by element, or all of it, in a step. */
export type Reader = Member | number;

const NONE = -1;

/** The readers of each node: chains of entries, since there may be millions. */
export class Readers {
  /** By a node's id, its last entry. */
  readonly #last: Int32Array;
  /** By entry, the reader, and the entry before of the same node. */
  readonly #readers: Reader[] = [];
  readonly #before: number[] = [];

  /** Nobody yet, of as many nodes. */
  constructor(count: number) {
    this.#last = new Int32Array(count).fill(NONE);
  }

  enter({ id }: FlowNode, reader: Reader): void {
    this.#before.push(this.#last[id] as number);
    this.#last[id] = this.#readers.push(reader) - 1;
  }

  /** Whether any reader of a node is as said. */
  some({ id }: FlowNode, is: (reader: Reader) => boolean): boolean {
    for (let entry = this.#last[id] as number; entry !== NONE; entry = this.#before[entry] as number)
      if (is(this.#readers[entry] as Reader)) return true;
    return false;
  }

  /** The groups that readers of a node are members of; null where a step reads all of it. */
  groupsOf({ id }: FlowNode): Group[] | null {
    const groups = new Set<Group>();
    for (let entry = this.#last[id] as number; entry !== NONE; entry = this.#before[entry] as number) {
      const reader = this.#readers[entry] as Reader;
      if (typeof reader === "number") return null;
      groups.add(reader.group);
    }
    return [...groups];
  }

  /** The one group that all readers of a node are members of; null where there is none. */
  onlyGroup({ id }: FlowNode): Group | null {
    let only: Group | null = null;
    for (let entry = this.#last[id] as number; entry !== NONE; entry = this.#before[entry] as number) {
      const reader = this.#readers[entry] as Reader;
      if (typeof reader === "number" || (only !== null && reader.group !== only)) return null;
      only = reader.group;
    }
    return only;
  }
}
