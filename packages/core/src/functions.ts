/** The operations as functions only, so that a bundler keeps just the ones that are imported. */

export { type DType, dtypes, type TypedArray } from "./dtype.ts";
export {
  AdjointError,
  ArgumentError,
  DTypeError,
  type ErrorParts,
  GraphError,
  ShapeError,
} from "./errors.ts";
export { capture } from "./graph/capture.ts";
export type { Graph } from "./graph/graph.ts";
export type { Defined, Definition, Draw, NodeView, Operation } from "./op.ts";
export { flip, moveAxis, repeat, roll, split, swapAxes, tile, unfold, unstack } from "./ops/arrangement.ts";
export {
  arange,
  type CreationOptions,
  eye,
  full,
  linspace,
  type MeshgridOptions,
  meshgrid,
  ones,
  onesLike,
  zeros,
  zerosLike,
} from "./ops/creation.ts";
export { diag, diagEmbed, diagonal, trace, tril, triu } from "./ops/diagonals.ts";
export { dot, einsum, inner, kron, outer } from "./ops/einsum.ts";
export {
  abs,
  add,
  clip,
  cos,
  div,
  eq,
  exp,
  ge,
  gt,
  le,
  log,
  log1p,
  lt,
  maximum,
  minimum,
  mul,
  ne,
  neg,
  pow,
  relu,
  sigmoid,
  sign,
  sin,
  softplus,
  sqrt,
  square,
  sub,
  tanh,
  where,
} from "./ops/elementwise.ts";
export { booleanMask, gather, nonzero, takeAlongAxis, takeAt } from "./ops/indexing.ts";
export {
  broadcastTo,
  cast,
  concat,
  expandDims,
  identity,
  type Range,
  reshape,
  slice,
  squeeze,
  stack,
  stopGradient,
  transpose,
} from "./ops/movement.ts";
export { type PadOptions, type PadWidths, pad } from "./ops/padding.ts";
export { type MatmulOptions, matmul } from "./ops/products.ts";
export {
  argmax,
  logSoftmax,
  logSumExp,
  max,
  mean,
  min,
  type ReductionOptions,
  softmax,
  sum,
} from "./ops/reduction.ts";
export { indexUpdate, scatterAdd, scatterSet, segmentSum } from "./ops/scatter.ts";
export { oneHot, take } from "./ops/selection.ts";
export * as random from "./random.ts";
export type { Axes, Shape } from "./shape.ts";
export { type BackwardOptions, backward, noGrad } from "./sweep/backward.ts";
export { AnomalyError, detectAnomaly } from "./transforms/anomaly.ts";
export { checkpoint } from "./transforms/checkpoint.ts";
export { cond, foriLoop, type ScanOptions, scan, whileLoop } from "./transforms/control.ts";
export {
  type CustomPullback,
  type CustomPushforward,
  type CustomView,
  customJvp,
  customVjp,
  onCotangent,
  type ValueFunction,
} from "./transforms/custom.ts";
export { type Arguments, type Gradient, type GradOptions, grad, valueAndGrad } from "./transforms/grad.ts";
export { type FixedPointOptions, fixedPoint } from "./transforms/implicit.ts";
export { hessian, hvp, type JacobianOptions, jacobian, linearize } from "./transforms/jacobian.ts";
export { jvp } from "./transforms/jvp.ts";
export type { Tree, TreeInput, ValueTree } from "./transforms/tree.ts";
export { type VjpFunction, vjp } from "./transforms/vjp.ts";
export { type VmapOptions, vmap } from "./transforms/vmap.ts";
export {
  type Data,
  isValue,
  type NestedNumbers,
  type Operand,
  parameter,
  type Value,
  type ValueOptions,
  value,
} from "./value.ts";
