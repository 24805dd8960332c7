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
export {
  celu,
  elu,
  type GeluOptions,
  gelu,
  glu,
  hardSigmoid,
  hardSwish,
  hardTanh,
  leakyRelu,
  mish,
  prelu,
  selu,
  silu,
  softshrink,
  softsign,
} from "./ops/activations.ts";
export { flip, moveAxis, repeat, roll, split, swapAxes, tile, unfold, unstack } from "./ops/arrangement.ts";
export {
  type ConvolutionOptions,
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  type TransposedConvolutionOptions,
} from "./ops/convolution.ts";
export {
  arange,
  type CreationOptions,
  type EyeOptions,
  eye,
  full,
  type LinspaceOptions,
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
export { erf, erfc, erfinv } from "./ops/error-function.ts";
export {
  cbrt,
  exp2,
  expm1,
  log2,
  log10,
  logAddExp,
  logit,
  logSigmoid,
  reciprocal,
  rsqrt,
  xlogy,
} from "./ops/exponential.ts";
export { type FourierOptions, fft, ifft, irfft, rfft } from "./ops/fft.ts";
export { digamma, lgamma, polygamma } from "./ops/gamma.ts";
export { booleanMask, gather, nonzero, takeAlongAxis, takeAt } from "./ops/indexing.ts";
export { type InterpolateOptions, interpolate } from "./ops/interpolate.ts";
export { concat, stack } from "./ops/joining.ts";
export { det, slogdet } from "./ops/linalg/determinants.ts";
export { conditionNumber, type MatrixNormOrder, matrixNorm } from "./ops/linalg/norms.ts";
export { expm, matrixPower } from "./ops/linalg/powers.ts";
export { lstsq, type PseudoinverseOptions, pinv } from "./ops/linalg/pseudoinverse.ts";
export {
  inverse,
  lu,
  solve,
  type TriangularSolveOptions,
  triangularSolve,
} from "./ops/linalg/solve.ts";
export { eig, eigh, svd } from "./ops/linalg/spectral.ts";
export { cholesky, qr } from "./ops/linalg/triangular.ts";
export { isFinite, isInf, isNaN, logicalAnd, logicalNot, logicalOr, logicalXor } from "./ops/logical.ts";
export {
  broadcastTo,
  cast,
  expandDims,
  identity,
  reshape,
  squeeze,
  stopGradient,
  transpose,
} from "./ops/movement.ts";
export { type PadOptions, type PadWidths, pad } from "./ops/padding.ts";
export {
  type AveragePoolOptions,
  adaptiveAvgPool,
  adaptiveMaxPool,
  avgPool,
  maxPool,
  type PoolOptions,
} from "./ops/pooling.ts";
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
export {
  ceil,
  floor,
  heaviside,
  lerp,
  mod,
  type NanToNumOptions,
  nanToNum,
  round,
  trunc,
} from "./ops/rounding.ts";
export { cummax, cummin, cumprod, cumsum, diff, logCumSumExp, prod, type RunOptions } from "./ops/scans.ts";
export { indexUpdate, scatterAdd, scatterSet, segmentSum } from "./ops/scatter.ts";
export { oneHot, take } from "./ops/selection.ts";
export { type Range, slice } from "./ops/slicing.ts";
export {
  argsort,
  median,
  quantile,
  type SortOptions,
  sort,
  type TopK,
  type TopKOptions,
  topK,
} from "./ops/sorting.ts";
export {
  all,
  any,
  argmin,
  countNonzero,
  norm,
  std,
  type VarianceOptions,
  variance,
} from "./ops/statistics.ts";
export {
  acos,
  acosh,
  asin,
  asinh,
  atan,
  atan2,
  atanh,
  cosh,
  hypot,
  sinc,
  sinh,
  tan,
} from "./ops/trigonometry.ts";
export type { Padding, PerAxis } from "./ops/windows.ts";
export * as random from "./random.ts";
export type { Axes, Shape } from "./shape.ts";
export { type BackwardOptions, backward, noGrad } from "./sweep/backward.ts";
export { AnomalyError, detectAnomaly } from "./transforms/anomaly.ts";
export { checkpoint } from "./transforms/checkpoint.ts";
export type { ValueFunction } from "./transforms/closure.ts";
export { cond, foriLoop, type ScanOptions, scan, whileLoop } from "./transforms/control.ts";
export {
  type CustomPullback,
  type CustomPushforward,
  type CustomView,
  customJvp,
  customVjp,
  onCotangent,
} from "./transforms/custom.ts";
export { type Arguments, type Gradient, type GradOptions, grad, valueAndGrad } from "./transforms/grad.ts";
export { type FixedPointOptions, fixedPoint, implicitSolve } from "./transforms/implicit.ts";
export { hessian, hvp, type JacobianOptions, jacobian, linearize } from "./transforms/jacobian.ts";
export { jvp } from "./transforms/jvp.ts";
export {
  colourColumns,
  type SparseMatrix,
  type SparseOptions,
  type SparsityPattern,
  sparseHessian,
  sparseJacobian,
  sparsityPattern,
} from "./transforms/sparse.ts";
export type { Tree, TreeInput, ValueTree } from "./transforms/tree.ts";
export { type VjpFunction, vjp } from "./transforms/vjp.ts";
export { type VmapOptions, vmap } from "./transforms/vmap.ts";
export {
  buffer,
  type Data,
  isValue,
  type NestedNumbers,
  type Operand,
  parameter,
  type Value,
  type ValueOptions,
  value,
} from "./value.ts";
