/** What it takes to define operations of one's own: the makers of records, and the scalar language's types. */

export type { Arithmetic, Expression, ScalarFunction } from "./arithmetic.ts";
export {
  type BinaryParts,
  binary,
  type DTypeRule,
  type ElementwiseParts,
  elementwise,
  type Interval,
  type UnaryParts,
  unary,
} from "./elementwise.ts";
export {
  type AnyOperation,
  apply,
  type Defined,
  type Definition,
  type Draw,
  define,
  type Elementwise,
  type NodeView,
  type Operation,
  type OperationParts,
  operand,
  operands,
  operation,
  type Pullback,
} from "./op.ts";
export { type TensorType, tensorType } from "./value.ts";
