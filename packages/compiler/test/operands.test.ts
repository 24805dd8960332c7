import fc from "fast-check";
import { expect, test } from "vitest";
import { OperandTable } from "../src/operands.ts";

const entries = fc.array(
  fc.record({
    op: fc.constantFrom("add", "mul", "sin"),
    operands: fc.array(fc.nat({ max: 20 }), { maxLength: 4 }),
  }),
  { maxLength: 400, size: "max" },
);

test("numbers operations with operands in the order in which they are first met", () => {
  fc.assert(
    fc.property(entries, fc.nat({ max: 40 }), (all, expected) => {
      const table = new OperandTable<string>(expected);
      const known = new Map<string, number>();
      for (const { op, operands } of all) {
        const key = `${op} ${operands}`;
        if (!known.has(key)) known.set(key, known.size);
        // What stands behind the operands does not count.
        const number = table.numberOf(op, [...operands, 7, 7], operands.length);
        expect(number).toBe(known.get(key));
        expect(table.count).toBe(known.size);
      }
    }),
    { numRuns: 200, seed: 1 },
  );
});

test("keeps 100 000 pairs apart, large numbers among them", () => {
  const table = new OperandTable<null>();
  const numbers = () => {
    const found: number[] = [];
    for (let i = 0; i < 100_000; i++) found.push(table.numberOf(null, [i * 21_000, 2 ** 31 - 1 - i], 2));
    return found;
  };
  const first = numbers();
  expect(first).toEqual(first.map((_, i) => i));
  expect(numbers()).toEqual(first);
});
