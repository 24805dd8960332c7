/** The arithmetic of lanes: the instructions that kernels compute with and that every target can print. */

/**
 * Instructions over floating-point lanes of one dtype. `T` is a lane (or several) in some form, `M` a mask.
 *
 * Every instruction rounds once, as IEEE 754 has it, and none is reassociated, so error-free transformations hold.
 */
export interface Lanes<T, M> {
  readonly dtype: "float32" | "float64";
  /** The number, rounded to the dtype. */
  constant(x: number): T;
  add(a: T, b: T): T;
  sub(a: T, b: T): T;
  mul(a: T, b: T): T;
  div(a: T, b: T): T;
  /** a·b + c, rounded once where the target fuses the two and twice where it does not. */
  madd(a: T, b: T, c: T): T;
  neg(a: T): T;
  abs(a: T): T;
  sqrt(a: T): T;
  floor(a: T): T;
  ceil(a: T): T;
  trunc(a: T): T;
  /** To the nearest whole number, ties to even. */
  nearest(a: T): T;
  /** NaN where either is; −0 is less than 0. */
  min(a: T, b: T): T;
  /** NaN where either is; −0 is less than 0. */
  max(a: T, b: T): T;
  /** The limit where a is greater, a elsewhere: NaN stays. One instruction where `min` takes several. */
  atMost(a: T, limit: T): T;
  /** The limit where a is less, a elsewhere: NaN stays. One instruction where `max` takes several. */
  atLeast(a: T, limit: T): T;
  /** |a| with the sign of b. */
  copySign(a: T, b: T): T;
  /** ⌊log2 |a|⌋ of a normal number, as a floating-point number. Unspecified for other numbers. */
  exponent(a: T): T;
  /** A positive normal number divided by the power of 2 that leaves it in [1, 2). Unspecified for other numbers. */
  significand(a: T): T;
  /** 2ⁿ for a whole number n for which that is normal. Unspecified for other numbers. */
  power2(n: T): T;
  eq(a: T, b: T): M;
  lt(a: T, b: T): M;
  le(a: T, b: T): M;
  and(a: M, b: M): M;
  or(a: M, b: M): M;
  not(a: M): M;
  /** a where the mask holds, b elsewhere; neither is touched by what the other is. */
  select(mask: M, a: T, b: T): T;
}

/** A function that kernels compute by lane instructions, and one at a time, by `scalar`, outside of where these hold. */
export interface LaneFunction {
  readonly name: string;
  readonly arity: number;
  /** The function where `covers` holds; anything elsewhere. */
  fast<T, M>(xs: readonly T[], m: Lanes<T, M>): T;
  /** Where `fast` is accurate; null where it is everywhere. */
  readonly covers: (<T, M>(xs: readonly T[], m: Lanes<T, M>) => M) | null;
  /** The function of numbers: JavaScript's, or our own in float64. */
  scalar(...xs: number[]): number;
}
