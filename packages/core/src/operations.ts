/**
 * What it takes to define operations of one's own and to build on core: the makers of records, the scalar language's
 * types, shapes and received things as errors print them, structures of values, routines of libraries.
 */

export type { Arithmetic, Expression, ScalarFunction } from "./arithmetic.ts";
export {
  type DenseRoutines,
  type Eigenpairs,
  type Matrix,
  type Pivoting,
  type Triangle,
  useDense,
} from "./dense.ts";
export { allocate, isFloat } from "./dtype.ts";
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
export { type Extremes, extremes } from "./extremes.ts";
export { bodyGraphOf, captureTypes, graphOf, isBody } from "./graph/capture.ts";
export { type Places, placesOf } from "./graph/graph.ts";
export { type Trace, type TracedGradient, type TracedState, traceCall } from "./graph/tracer.ts";
export type { Box } from "./loops.ts";
export {
  type AnyOperation,
  apply,
  type BatchRule,
  type Defined,
  type Definition,
  type Draw,
  define,
  type Elementwise,
  filled,
  type Lowering,
  type LoweringRule,
  makeNode,
  type NodeView,
  type Operation,
  type OperationParts,
  operand,
  operands,
  operation,
  type Pullback,
  together,
} from "./op.ts";
export { checkOptions, editDistance, type OptionNames } from "./options.ts";
export { type Cell, dataCell, type GradientCell, gradientCell, type Keeper } from "./resident.ts";
export { formatShape, type Shape, sameShape, sizeOf, stridesOf } from "./shape.ts";
export type { Edges, Spread } from "./spread.ts";
export { current, isRecording, isWatched } from "./state.ts";
export { type TensorType, tensorType } from "./tensor-type.ts";
export type { CondAttributes } from "./transforms/control/cond.ts";
export { packedType } from "./transforms/control/packing.ts";
export type { Pass, WhileAttributes } from "./transforms/control/passes.ts";
export { extendedScan, type ScanAttributes } from "./transforms/control/scan.ts";
export { type Flattened, flatten } from "./transforms/tree.ts";
export { cotangentsOf } from "./transforms/vjp.ts";
export { constant, isDerivable, isOlder, storageOf, typeOf } from "./value.ts";
