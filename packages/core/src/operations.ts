/**
 * What it takes to define operations of one's own and to build on core: the makers of records, the scalar language's
 * types, shapes and received things as errors print them, structures of values.
 */

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
export { describe } from "./errors.ts";
export {
  type AnyOperation,
  apply,
  type BatchRule,
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
export { formatShape, sameShape, sizeOf } from "./shape.ts";
export type { Edges, Spread } from "./spread.ts";
export type { CondAttributes } from "./transforms/control/cond.ts";
export { packedType } from "./transforms/control/packing.ts";
export { extendedScan, type ScanAttributes } from "./transforms/control/scan.ts";
export type { Pass, WhileAttributes } from "./transforms/control/while.ts";
export { type Flattened, flatten } from "./transforms/tree.ts";
export { type TensorType, tensorType } from "./value.ts";
