/** Generation: expressions of the scalar language as JavaScript, where that may be made. */

import { type Expression, sourceArithmetic } from "./arithmetic.ts";

/** Writes an expression of `arity` operands named x0, x1, … as statements; `scope` is what they call. */
export function trace(
  expression: Expression,
  arity: number,
  wraps: boolean,
  scope: Record<string, unknown> = {},
): { statements: string[]; result: string } {
  const statements: string[] = [];
  const names = Array.from({ length: arity }, (_, k) => `x${k}`);
  const result = expression(names, sourceArithmetic(statements, scope, wraps));
  return { statements, result };
}

let generates: boolean | null = null;

/** Whether code may be generated: not under a content security policy without `unsafe-eval`. */
export function generatesCode(): boolean {
  if (generates === null) {
    try {
      new Function("");
      generates = true;
    } catch {
      generates = false;
    }
  }
  return generates;
}

/** Forbids code generation as a content security policy would, or permits it again: for tests. */
export function setCodeGeneration(on: boolean): void {
  generates = on;
}

/** The function that `source` returns, with the names in `scope` known to it. */
export function generate(source: string, scope: Record<string, unknown>): unknown {
  return new Function(...Object.keys(scope), source)(...Object.values(scope));
}
