/** Operations with operands, numbered: a hash table of numbers, since a scalar program may have millions. */

/** How many numbers stand before an entry's operands: its operation's, and how many operands there are. */
const HEAD = 2;

/**
 * Numbers operations with the numbers of their operands: 0, 1, … in the order in which they are first met. Operands are
 * the first so many of a list, which callers use again and again.
 */
export class OperandTable<Op> {
  readonly #ops = new Map<Op, number>();
  #count = 0;
  /** Where each entry's numbers begin. */
  #starts: Int32Array<ArrayBuffer>;
  #numbers: Int32Array<ArrayBuffer>;
  #end = 0;
  /** One more than an entry's number, at its hash or the next free slot after it; 0 where there is none. */
  #slots: Int32Array<ArrayBuffer>;

  /** A table of about as many entries. */
  constructor(expected = 16) {
    this.#starts = new Int32Array(expected);
    this.#numbers = new Int32Array(4 * expected);
    this.#slots = new Int32Array(2 ** (33 - Math.clz32(expected)));
  }

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  /** The number of an operation with operands: `count` before the call where it is new. */
  numberOf(op: Op, operands: readonly number[], count: number): number {
    let kind = this.#ops.get(op);
    if (kind === undefined) {
      kind = this.#ops.size;
      this.#ops.set(op, kind);
    }
    let hash = mixed(kind, count);
    for (let k = 0; k < count; k++) hash = mixed(hash, operands[k] as number);
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hash & mask;
    for (let entry = slots[slot] as number; entry !== 0; entry = slots[slot] as number) {
      if (this.#is(entry - 1, kind, operands, count)) return entry - 1;
      slot = (slot + 1) & mask;
    }
    slots[slot] = this.#count + 1;
    return this.#enter(kind, operands, count);
  }

  #is(number: number, kind: number, operands: readonly number[], count: number): boolean {
    const numbers = this.#numbers;
    const start = this.#starts[number] as number;
    if (numbers[start] !== kind || numbers[start + 1] !== count) return false;
    for (let k = 0; k < count; k++) if (numbers[start + HEAD + k] !== operands[k]) return false;
    return true;
  }

  #enter(kind: number, operands: readonly number[], count: number): number {
    const number = this.#count++;
    this.#starts = reaching(this.#starts, number + 1);
    this.#numbers = reaching(this.#numbers, this.#end + HEAD + count);
    this.#starts[number] = this.#end;
    this.#numbers[this.#end++] = kind;
    this.#numbers[this.#end++] = count;
    for (let k = 0; k < count; k++) this.#numbers[this.#end++] = operands[k] as number;
    if (2 * this.#count > this.#slots.length) this.#widen();
    return number;
  }

  /** Twice as many slots. */
  #widen(): void {
    this.#slots = new Int32Array(2 * this.#slots.length);
    const mask = this.#slots.length - 1;
    for (let number = 0; number < this.#count; number++) {
      const start = this.#starts[number] as number;
      const end = start + HEAD + (this.#numbers[start + 1] as number);
      let hash = this.#numbers[start] as number;
      for (let i = start + 1; i < end; i++) hash = mixed(hash, this.#numbers[i] as number);
      let slot = hash & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = number + 1;
    }
  }
}

/** A hash with one more number in it. Multipliers and shifts of MurmurHash3 (Appleby, 2011). */
function mixed(hash: number, x: number): number {
  const h = Math.imul(hash ^ Math.imul(x, 0xcc9e2d51), 0x85ebca6b);
  return h ^ (h >>> 15);
}

/** An array of numbers, or a longer one that begins with them, that reaches to a length. */
function reaching(numbers: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  if (length <= numbers.length) return numbers;
  const longer = new Int32Array(Math.max(length, 2 * numbers.length));
  longer.set(numbers);
  return longer;
}
