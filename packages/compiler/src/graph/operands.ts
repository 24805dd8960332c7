/** Keys of operations on one operand or two: numbers, since a scalar program may have millions of nodes. */

/** Finds things by an operation and the numbers of its operands. */
export class OperandTable<Op, T> {
  readonly #tables = new Map<Op, Map<number | string, T>>();

  get(op: Op, operands: readonly number[]): T | undefined {
    return this.#tables.get(op)?.get(keyOf(operands));
  }

  set(op: Op, operands: readonly number[], found: T): void {
    let table = this.#tables.get(op);
    if (table === undefined) {
      table = new Map();
      this.#tables.set(op, table);
    }
    table.set(keyOf(operands), found);
  }
}

/** Numbers below this share a number with another. */
const LIMIT = 2 ** 26;

function keyOf(operands: readonly number[]): number | string {
  const [a = -1, b = -1] = operands;
  if (operands.length > 2 || a >= LIMIT || b >= LIMIT) return operands.join(" ");
  return (a + 1) * (LIMIT + 1) + (b + 1);
}
