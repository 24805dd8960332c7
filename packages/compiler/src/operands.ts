/** Things by an operation and the numbers of its operands: a hash table of numbers, since there may be millions. */

/** How many numbers stand before an entry's operands: its operation's, and how many operands there are. */
const HEAD = 2;

/** Finds things by an operation and the numbers of its operands, which are not negative. */
export class OperandTable<Op, T> {
  readonly #ops = new Map<Op, number>();
  readonly #found: T[] = [];
  /** Where each entry's numbers begin. */
  #starts = new Int32Array(16);
  #numbers = new Int32Array(64);
  #end = 0;
  /** One more than an entry's place, at its hash or the next free slot after it; 0 where there is none. */
  #slots = new Int32Array(32);

  get(op: Op, operands: readonly number[]): T | undefined {
    const number = this.#ops.get(op);
    if (number === undefined) return undefined;
    const entry = this.#slots[this.#slotOf(number, operands)] as number;
    return entry === 0 ? undefined : this.#found[entry - 1];
  }

  /** Keeps what was not there. */
  set(op: Op, operands: readonly number[], found: T): void {
    let number = this.#ops.get(op);
    if (number === undefined) {
      number = this.#ops.size;
      this.#ops.set(op, number);
    }
    const place = this.#found.push(found) - 1;
    if (2 * this.#found.length > this.#slots.length) this.#widen();
    this.#slots[this.#slotOf(number, operands)] = place + 1;
    this.#starts = reaching(this.#starts, place + 1);
    this.#starts[place] = this.#end;
    this.#numbers = reaching(this.#numbers, this.#end + HEAD + operands.length);
    this.#numbers[this.#end++] = number;
    this.#numbers[this.#end++] = operands.length;
    for (let k = 0; k < operands.length; k++) this.#numbers[this.#end++] = operands[k] as number;
  }

  /** The slot of an entry, or the free one where it belongs. */
  #slotOf(op: number, operands: readonly number[]): number {
    const mask = this.#slots.length - 1;
    let hash = mixed(op, operands.length);
    for (let k = 0; k < operands.length; k++) hash = mixed(hash, operands[k] as number);
    let slot = hash & mask;
    for (;;) {
      const entry = this.#slots[slot] as number;
      if (entry === 0 || this.#is(entry - 1, op, operands)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #is(place: number, op: number, operands: readonly number[]): boolean {
    const numbers = this.#numbers;
    const start = this.#starts[place] as number;
    if (numbers[start] !== op || numbers[start + 1] !== operands.length) return false;
    for (let k = 0; k < operands.length; k++) if (numbers[start + HEAD + k] !== operands[k]) return false;
    return true;
  }

  /** Twice as many slots; all entries but the last, which has none yet, move. */
  #widen(): void {
    this.#slots = new Int32Array(2 * this.#slots.length);
    const mask = this.#slots.length - 1;
    for (let place = 0; place < this.#found.length - 1; place++) {
      const start = this.#starts[place] as number;
      const end = start + HEAD + (this.#numbers[start + 1] as number);
      let hash = 0;
      for (let i = start; i < end; i++) {
        const x = this.#numbers[i] as number;
        hash = i === start ? x : mixed(hash, x);
      }
      let slot = hash & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = place + 1;
    }
  }
}

/** A hash with one more number in it. Multipliers and shifts of MurmurHash3 (Appleby, 2011). */
function mixed(hash: number, x: number): number {
  let h = Math.imul(hash ^ Math.imul(x, 0xcc9e2d51), 0x85ebca6b);
  h ^= h >>> 15;
  return h;
}

/** An array of numbers, or a longer one that begins with them, that reaches to a length. */
function reaching(numbers: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  if (length <= numbers.length) return numbers;
  const longer = new Int32Array(Math.max(length, 2 * numbers.length));
  longer.set(numbers);
  return longer;
}
