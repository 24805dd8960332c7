/** The errors that Adjoint throws: each says where, what must hold, what it got, and what to do. */

/** The parts of an error message: `where: expected, got received. advice`. */
export interface ErrorParts {
  /** The public function or method that was called. */
  readonly where: string;
  /** What must hold. */
  readonly expected: string;
  /** What was found instead; left out of the message when absent. */
  readonly received?: string;
  /** What to do about it. */
  readonly advice?: string;
}

/** Any misuse of Adjoint. Thrown where the user called, never from inside a sweep. */
export class AdjointError extends Error {
  readonly where: string;
  readonly expected: string;
  readonly received: string | undefined;

  constructor({ where, expected, received, advice }: ErrorParts) {
    const got = received === undefined ? "" : `, got ${received}`;
    super(`${where}: ${expected}${got}.${advice === undefined ? "" : ` ${advice}`}`);
    this.name = new.target.name;
    this.where = where;
    this.expected = expected;
    this.received = received;
  }
}

/** Shapes, sizes or axes that do not fit together. */
export class ShapeError extends AdjointError {}

/** A dtype that an operation cannot take, or cannot differentiate. */
export class DTypeError extends AdjointError {}

/** An argument or option outside its allowed range. */
export class ArgumentError extends AdjointError {}

/** A graph that cannot be differentiated as asked, for example because a parameter it reads was replaced. */
export class GraphError extends AdjointError {}

/** Prints a received thing in an error message: short, and never a wall of numbers. */
export function describe(x: unknown): string {
  if (typeof x === "string") return JSON.stringify(x);
  if (typeof x === "function") return `a function${x.name ? ` (${x.name})` : ""}`;
  if (Array.isArray(x)) return x.length === 0 ? "an empty array" : `an array of ${x.length}`;
  if (ArrayBuffer.isView(x)) return x.constructor.name;
  if (typeof x === "object" && x !== null) {
    const name = Object.getPrototypeOf(x)?.constructor?.name;
    return name === undefined || name === "Object"
      ? "an object"
      : `${/^[AEIOU]/.test(name) ? "an" : "a"} ${name}`;
  }
  return String(x);
}
