/** Statements with other indices, counters and registers in the place of theirs. */

import type { Affine, Counter, Place, Register, Statement } from "./language.ts";

/** What is replaced, and by what; what is left out stays. */
export interface Replacements {
  affine?(at: Affine): Affine;
  counter?(counter: Counter): Counter;
  register?(register: Register): Register;
}

const same = <T>(x: T): T => x;

/** Statements, those within loops too, rewritten. */
export function rewritten(statements: readonly Statement[], by: Replacements): Statement[] {
  const { affine = same, counter = same, register = same } = by;
  const place = ({ buffer, at, picked }: Place): Place => ({
    buffer,
    at: affine(at),
    picked: picked === null ? null : { ...picked, index: register(picked.index) },
  });
  const rewrite = (s: Statement): Statement => {
    switch (s.kind) {
      case "loop":
        return { ...s, counter: counter(s.counter), body: s.body.map(rewrite) };
      case "constant":
      case "begin":
        return { ...s, to: register(s.to) };
      case "load":
        return { ...s, to: register(s.to), from: place(s.from) };
      case "compute":
      case "call":
        return { ...s, to: register(s.to), from: s.from.map(register) };
      case "store":
      case "combine":
        return { ...s, to: place(s.to), from: register(s.from) };
      case "gather":
        return { ...s, into: register(s.into), from: register(s.from) };
      case "fill":
        return s;
    }
  };
  return statements.map(rewrite);
}
