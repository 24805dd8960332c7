/** The chainable operations: one documented signature each, installed on Value. */

import type { DType } from "./dtype.ts";
import { ArgumentError } from "./errors.ts";
import * as activations from "./ops/activations.ts";
import * as arrangement from "./ops/arrangement.ts";
import * as convolution from "./ops/convolution.ts";
import * as creation from "./ops/creation.ts";
import * as diagonals from "./ops/diagonals.ts";
import * as einsum from "./ops/einsum.ts";
import * as elementwise from "./ops/elementwise.ts";
import * as errorFunction from "./ops/error-function.ts";
import * as exponential from "./ops/exponential.ts";
import * as fourier from "./ops/fft.ts";
import * as gamma from "./ops/gamma.ts";
import * as indexing from "./ops/indexing.ts";
import * as interpolation from "./ops/interpolate.ts";
import * as joining from "./ops/joining.ts";
import * as determinants from "./ops/linalg/determinants.ts";
import * as norms from "./ops/linalg/norms.ts";
import * as powers from "./ops/linalg/powers.ts";
import * as pseudoinverse from "./ops/linalg/pseudoinverse.ts";
import * as solving from "./ops/linalg/solve.ts";
import * as spectral from "./ops/linalg/spectral.ts";
import * as triangular from "./ops/linalg/triangular.ts";
import * as logical from "./ops/logical.ts";
import * as movement from "./ops/movement.ts";
import * as padding from "./ops/padding.ts";
import * as pooling from "./ops/pooling.ts";
import * as products from "./ops/products.ts";
import * as reduction from "./ops/reduction.ts";
import * as rounding from "./ops/rounding.ts";
import * as scans from "./ops/scans.ts";
import * as scatter from "./ops/scatter.ts";
import * as selection from "./ops/selection.ts";
import * as slicing from "./ops/slicing.ts";
import * as sorting from "./ops/sorting.ts";
import * as statistics from "./ops/statistics.ts";
import * as trigonometry from "./ops/trigonometry.ts";
import type { PerAxis } from "./ops/windows.ts";
import { format } from "./print.ts";
import type { Axes, Shape } from "./shape.ts";
import { type BackwardOptions, backward } from "./sweep/backward.ts";
import { type NestedNumbers, type Operand, Value } from "./value.ts";

const methods = {
  /** Sum, element by element. See {@link elementwise.add}. */
  add(this: Value, b: Operand): Value {
    return elementwise.add(this, b);
  },
  /** Difference, element by element. See {@link elementwise.sub}. */
  sub(this: Value, b: Operand): Value {
    return elementwise.sub(this, b);
  },
  /** Product, element by element. See {@link elementwise.mul}. */
  mul(this: Value, b: Operand): Value {
    return elementwise.mul(this, b);
  },
  /** Quotient, element by element. See {@link elementwise.div}. */
  div(this: Value, b: Operand): Value {
    return elementwise.div(this, b);
  },
  /** Power, element by element. See {@link elementwise.pow}. */
  pow(this: Value, exponent: Operand): Value {
    return elementwise.pow(this, exponent);
  },
  /** The negative. See {@link elementwise.neg}. */
  neg(this: Value): Value {
    return elementwise.neg(this);
  },
  /** The square. See {@link elementwise.square}. */
  square(this: Value): Value {
    return elementwise.square(this);
  },
  /** The square root. See {@link elementwise.sqrt}. */
  sqrt(this: Value): Value {
    return elementwise.sqrt(this);
  },
  /** The exponential. See {@link elementwise.exp}. */
  exp(this: Value): Value {
    return elementwise.exp(this);
  },
  /** The natural logarithm. See {@link elementwise.log}. */
  log(this: Value): Value {
    return elementwise.log(this);
  },
  /** ln(1 + x). See {@link elementwise.log1p}. */
  log1p(this: Value): Value {
    return elementwise.log1p(this);
  },
  /** The sine, in radians. See {@link elementwise.sin}. */
  sin(this: Value): Value {
    return elementwise.sin(this);
  },
  /** The cosine, in radians. See {@link elementwise.cos}. */
  cos(this: Value): Value {
    return elementwise.cos(this);
  },
  /** The hyperbolic tangent. See {@link elementwise.tanh}. */
  tanh(this: Value): Value {
    return elementwise.tanh(this);
  },
  /** The logistic function. See {@link elementwise.sigmoid}. */
  sigmoid(this: Value): Value {
    return elementwise.sigmoid(this);
  },
  /** ln(1 + e^x). See {@link elementwise.softplus}. */
  softplus(this: Value): Value {
    return elementwise.softplus(this);
  },
  /** max(x, 0). See {@link elementwise.relu}. */
  relu(this: Value): Value {
    return elementwise.relu(this);
  },
  /** Absolute value. See {@link elementwise.abs}. */
  abs(this: Value): Value {
    return elementwise.abs(this);
  },
  /** −1, 0 or 1 by the sign. See {@link elementwise.sign}. */
  sign(this: Value): Value {
    return elementwise.sign(this);
  },
  /** The larger of two. See {@link elementwise.maximum}. */
  maximum(this: Value, b: Operand): Value {
    return elementwise.maximum(this, b);
  },
  /** The smaller of two. See {@link elementwise.minimum}. */
  minimum(this: Value, b: Operand): Value {
    return elementwise.minimum(this, b);
  },
  /** Each element brought into [low, high]. See {@link elementwise.clip}. */
  clip(this: Value, low: Operand, high: Operand): Value {
    return elementwise.clip(this, low, high);
  },
  /** With this value as the condition: `a` where it is not 0, `b` elsewhere. See {@link elementwise.where}. */
  where(this: Value, a: Operand, b: Operand): Value {
    return elementwise.where(this, a, b);
  },
  /** Whether equal. See {@link elementwise.eq}. */
  eq(this: Value, b: Operand): Value {
    return elementwise.eq(this, b);
  },
  /** Whether different. See {@link elementwise.ne}. */
  ne(this: Value, b: Operand): Value {
    return elementwise.ne(this, b);
  },
  /** Whether less. See {@link elementwise.lt}. */
  lt(this: Value, b: Operand): Value {
    return elementwise.lt(this, b);
  },
  /** Whether less or equal. See {@link elementwise.le}. */
  le(this: Value, b: Operand): Value {
    return elementwise.le(this, b);
  },
  /** Whether greater. See {@link elementwise.gt}. */
  gt(this: Value, b: Operand): Value {
    return elementwise.gt(this, b);
  },
  /** Whether greater or equal. See {@link elementwise.ge}. */
  ge(this: Value, b: Operand): Value {
    return elementwise.ge(this, b);
  },
  /** 1/x. See {@link exponential.reciprocal}. */
  reciprocal(this: Value): Value {
    return exponential.reciprocal(this);
  },
  /** 1/√x. See {@link exponential.rsqrt}. */
  rsqrt(this: Value): Value {
    return exponential.rsqrt(this);
  },
  /** The cube root. See {@link exponential.cbrt}. */
  cbrt(this: Value): Value {
    return exponential.cbrt(this);
  },
  /** 2 to the power of each element. See {@link exponential.exp2}. */
  exp2(this: Value): Value {
    return exponential.exp2(this);
  },
  /** e^x − 1. See {@link exponential.expm1}. */
  expm1(this: Value): Value {
    return exponential.expm1(this);
  },
  /** The logarithm to base 2. See {@link exponential.log2}. */
  log2(this: Value): Value {
    return exponential.log2(this);
  },
  /** The logarithm to base 10. See {@link exponential.log10}. */
  log10(this: Value): Value {
    return exponential.log10(this);
  },
  /** ln σ(x). See {@link exponential.logSigmoid}. */
  logSigmoid(this: Value): Value {
    return exponential.logSigmoid(this);
  },
  /** ln(x/(1 − x)). See {@link exponential.logit}. */
  logit(this: Value, eps?: number): Value {
    return exponential.logit(this, eps);
  },
  /** ln(e^a + e^b). See {@link exponential.logAddExp}. */
  logAddExp(this: Value, b: Operand): Value {
    return exponential.logAddExp(this, b);
  },
  /** x·ln y, 0 where x = 0. See {@link exponential.xlogy}. */
  xlogy(this: Value, y: Operand): Value {
    return exponential.xlogy(this, y);
  },
  /** The tangent, in radians. See {@link trigonometry.tan}. */
  tan(this: Value): Value {
    return trigonometry.tan(this);
  },
  /** The inverse sine. See {@link trigonometry.asin}. */
  asin(this: Value): Value {
    return trigonometry.asin(this);
  },
  /** The inverse cosine. See {@link trigonometry.acos}. */
  acos(this: Value): Value {
    return trigonometry.acos(this);
  },
  /** The inverse tangent. See {@link trigonometry.atan}. */
  atan(this: Value): Value {
    return trigonometry.atan(this);
  },
  /** The angle of the point (b, this). See {@link trigonometry.atan2}. */
  atan2(this: Value, b: Operand): Value {
    return trigonometry.atan2(this, b);
  },
  /** √(a² + b²). See {@link trigonometry.hypot}. */
  hypot(this: Value, b: Operand): Value {
    return trigonometry.hypot(this, b);
  },
  /** The hyperbolic sine. See {@link trigonometry.sinh}. */
  sinh(this: Value): Value {
    return trigonometry.sinh(this);
  },
  /** The hyperbolic cosine. See {@link trigonometry.cosh}. */
  cosh(this: Value): Value {
    return trigonometry.cosh(this);
  },
  /** The inverse hyperbolic sine. See {@link trigonometry.asinh}. */
  asinh(this: Value): Value {
    return trigonometry.asinh(this);
  },
  /** The inverse hyperbolic cosine. See {@link trigonometry.acosh}. */
  acosh(this: Value): Value {
    return trigonometry.acosh(this);
  },
  /** The inverse hyperbolic tangent. See {@link trigonometry.atanh}. */
  atanh(this: Value): Value {
    return trigonometry.atanh(this);
  },
  /** sin(πx)/(πx). See {@link trigonometry.sinc}. */
  sinc(this: Value): Value {
    return trigonometry.sinc(this);
  },
  /** The largest whole number that is not greater. See {@link rounding.floor}. */
  floor(this: Value): Value {
    return rounding.floor(this);
  },
  /** The smallest whole number that is not less. See {@link rounding.ceil}. */
  ceil(this: Value): Value {
    return rounding.ceil(this);
  },
  /** The nearest whole number, halves to even. See {@link rounding.round}. */
  round(this: Value, decimals?: number): Value {
    return rounding.round(this, decimals);
  },
  /** The whole part. See {@link rounding.trunc}. */
  trunc(this: Value): Value {
    return rounding.trunc(this);
  },
  /** The remainder with the sign of b. See {@link rounding.mod}. */
  mod(this: Value, b: Operand): Value {
    return rounding.mod(this, b);
  },
  /** From this to b by weight. See {@link rounding.lerp}. */
  lerp(this: Value, b: Operand, weight: Operand): Value {
    return rounding.lerp(this, b, weight);
  },
  /** The step function, `atZero` at 0. See {@link rounding.heaviside}. */
  heaviside(this: Value, atZero: Operand): Value {
    return rounding.heaviside(this, atZero);
  },
  /** Finite numbers instead of NaN and infinities. See {@link rounding.nanToNum}. */
  nanToNum(this: Value, options?: rounding.NanToNumOptions): Value {
    return rounding.nanToNum(this, options);
  },
  /** Whether NaN. See {@link logical.isNaN}. */
  isNaN(this: Value): Value {
    return logical.isNaN(this);
  },
  /** Whether neither NaN nor infinite. See {@link logical.isFinite}. */
  isFinite(this: Value): Value {
    return logical.isFinite(this);
  },
  /** Whether infinite. See {@link logical.isInf}. */
  isInf(this: Value): Value {
    return logical.isInf(this);
  },
  /** Whether 0. See {@link logical.logicalNot}. */
  logicalNot(this: Value): Value {
    return logical.logicalNot(this);
  },
  /** Whether both are true. See {@link logical.logicalAnd}. */
  logicalAnd(this: Value, b: Operand): Value {
    return logical.logicalAnd(this, b);
  },
  /** Whether at least one is true. See {@link logical.logicalOr}. */
  logicalOr(this: Value, b: Operand): Value {
    return logical.logicalOr(this, b);
  },
  /** Whether exactly one is true. See {@link logical.logicalXor}. */
  logicalXor(this: Value, b: Operand): Value {
    return logical.logicalXor(this, b);
  },
  /** The error function. See {@link errorFunction.erf}. */
  erf(this: Value): Value {
    return errorFunction.erf(this);
  },
  /** 1 − erf(x). See {@link errorFunction.erfc}. */
  erfc(this: Value): Value {
    return errorFunction.erfc(this);
  },
  /** The inverse of the error function. See {@link errorFunction.erfinv}. */
  erfinv(this: Value): Value {
    return errorFunction.erfinv(this);
  },
  /** ln|Γ(x)|. See {@link gamma.lgamma}. */
  lgamma(this: Value): Value {
    return gamma.lgamma(this);
  },
  /** The derivative of lgamma. See {@link gamma.digamma}. */
  digamma(this: Value): Value {
    return gamma.digamma(this);
  },
  /** The n-th derivative of digamma. See {@link gamma.polygamma}. */
  polygamma(this: Value, n: number): Value {
    return gamma.polygamma(n, this);
  },
  /** x where positive, slope·x elsewhere. See {@link activations.leakyRelu}. */
  leakyRelu(this: Value, slope?: Operand): Value {
    return activations.leakyRelu(this, slope);
  },
  /** The same with a slope for each channel. See {@link activations.prelu}. */
  prelu(this: Value, weight: Operand): Value {
    return activations.prelu(this, weight);
  },
  /** x where positive, alpha·(e^x − 1) elsewhere. See {@link activations.elu}. */
  elu(this: Value, alpha?: Operand): Value {
    return activations.elu(this, alpha);
  },
  /** The self-normalizing elu. See {@link activations.selu}. */
  selu(this: Value): Value {
    return activations.selu(this);
  },
  /** The continuously differentiable elu. See {@link activations.celu}. */
  celu(this: Value, alpha?: Operand): Value {
    return activations.celu(this, alpha);
  },
  /** x·Φ(x). See {@link activations.gelu}. */
  gelu(this: Value, options?: activations.GeluOptions): Value {
    return activations.gelu(this, options);
  },
  /** x·σ(x). See {@link activations.silu}. */
  silu(this: Value): Value {
    return activations.silu(this);
  },
  /** x·tanh(ln(1 + e^x)). See {@link activations.mish}. */
  mish(this: Value): Value {
    return activations.mish(this);
  },
  /** Brought into [−1, 1], or [low, high]. See {@link activations.hardTanh}. */
  hardTanh(this: Value, low?: Operand, high?: Operand): Value {
    return activations.hardTanh(this, low, high);
  },
  /** A piecewise linear sigmoid. See {@link activations.hardSigmoid}. */
  hardSigmoid(this: Value): Value {
    return activations.hardSigmoid(this);
  },
  /** x·hardSigmoid(x). See {@link activations.hardSwish}. */
  hardSwish(this: Value): Value {
    return activations.hardSwish(this);
  },
  /** x/(1 + |x|). See {@link activations.softsign}. */
  softsign(this: Value): Value {
    return activations.softsign(this);
  },
  /** Brought nearer to 0. See {@link activations.softshrink}. */
  softshrink(this: Value, by?: Operand): Value {
    return activations.softshrink(this, by);
  },
  /** The first half along an axis times the sigmoid of the second. See {@link activations.glu}. */
  glu(this: Value, axis?: number): Value {
    return activations.glu(this, axis);
  },
  /** Sum over axes, by default all. See {@link reduction.sum}. */
  sum(this: Value, axes?: Axes | null, options?: reduction.ReductionOptions): Value {
    return reduction.sum(this, axes, options);
  },
  /** Mean over axes, by default all. See {@link reduction.mean}. */
  mean(this: Value, axes?: Axes | null, options?: reduction.ReductionOptions): Value {
    return reduction.mean(this, axes, options);
  },
  /** Largest element over axes, by default all. See {@link reduction.max}. */
  max(this: Value, axes?: Axes | null, options?: reduction.ReductionOptions): Value {
    return reduction.max(this, axes, options);
  },
  /** Smallest element over axes, by default all. See {@link reduction.min}. */
  min(this: Value, axes?: Axes | null, options?: reduction.ReductionOptions): Value {
    return reduction.min(this, axes, options);
  },
  /** ln Σ e^x over axes, by default all. See {@link reduction.logSumExp}. */
  logSumExp(this: Value, axes?: Axes | null, options?: reduction.ReductionOptions): Value {
    return reduction.logSumExp(this, axes, options);
  },
  /** e^x / Σ e^x along an axis, by default the last. See {@link reduction.softmax}. */
  softmax(this: Value, axis?: number): Value {
    return reduction.softmax(this, axis);
  },
  /** The logarithm of softmax. See {@link reduction.logSoftmax}. */
  logSoftmax(this: Value, axis?: number): Value {
    return reduction.logSoftmax(this, axis);
  },
  /** Index of the largest element. See {@link reduction.argmax}. */
  argmax(this: Value, axis?: number): Value {
    return reduction.argmax(this, axis);
  },
  /** Index of the smallest element. See {@link statistics.argmin}. */
  argmin(this: Value, axis?: number): Value {
    return statistics.argmin(this, axis);
  },
  /** Product over axes, by default all. See {@link scans.prod}. */
  prod(this: Value, axes?: Axes | null, options?: reduction.ReductionOptions): Value {
    return scans.prod(this, axes, options);
  },
  /** Variance over axes, by default all. See {@link statistics.variance}. */
  variance(this: Value, axes?: Axes | null, options?: statistics.VarianceOptions): Value {
    return statistics.variance(this, axes, options);
  },
  /** Standard deviation over axes, by default all. See {@link statistics.std}. */
  std(this: Value, axes?: Axes | null, options?: statistics.VarianceOptions): Value {
    return statistics.std(this, axes, options);
  },
  /** Vector norm over axes, by default all. See {@link statistics.norm}. */
  norm(this: Value, order?: number, axes?: Axes | null, options?: reduction.ReductionOptions): Value {
    return statistics.norm(this, order, axes, options);
  },
  /** Whether any element over axes is not 0. See {@link statistics.any}. */
  any(this: Value, axes?: Axes | null, options?: reduction.ReductionOptions): Value {
    return statistics.any(this, axes, options);
  },
  /** Whether all elements over axes are not 0. See {@link statistics.all}. */
  all(this: Value, axes?: Axes | null, options?: reduction.ReductionOptions): Value {
    return statistics.all(this, axes, options);
  },
  /** How many elements over axes are not 0. See {@link statistics.countNonzero}. */
  countNonzero(this: Value, axes?: Axes | null, options?: reduction.ReductionOptions): Value {
    return statistics.countNonzero(this, axes, options);
  },
  /** The middle of the elements over axes, by default all. See {@link sorting.median}. */
  median(this: Value, axes?: Axes | null, options?: reduction.ReductionOptions): Value {
    return sorting.median(this, axes, options);
  },
  /** Quantiles over axes, by default all. See {@link sorting.quantile}. */
  quantile(
    this: Value,
    q: number | readonly number[],
    axes?: Axes | null,
    options?: reduction.ReductionOptions,
  ): Value {
    return sorting.quantile(this, q, axes, options);
  },
  /** In order along an axis. See {@link sorting.sort}. */
  sort(this: Value, axis?: number, options?: sorting.SortOptions): Value {
    return sorting.sort(this, axis, options);
  },
  /** The indices that sort along an axis. See {@link sorting.argsort}. */
  argsort(this: Value, axis?: number, options?: sorting.SortOptions): Value {
    return sorting.argsort(this, axis, options);
  },
  /** The largest few along an axis, and where they were. See {@link sorting.topK}. */
  topK(this: Value, k: number, axis?: number, options?: sorting.TopKOptions): sorting.TopK {
    return sorting.topK(this, k, axis, options);
  },
  /** Running sum. See {@link scans.cumsum}. */
  cumsum(this: Value, axis?: number, options?: scans.RunOptions): Value {
    return scans.cumsum(this, axis, options);
  },
  /** Running product. See {@link scans.cumprod}. */
  cumprod(this: Value, axis?: number, options?: scans.RunOptions): Value {
    return scans.cumprod(this, axis, options);
  },
  /** Running maximum. See {@link scans.cummax}. */
  cummax(this: Value, axis?: number, options?: scans.RunOptions): Value {
    return scans.cummax(this, axis, options);
  },
  /** Running minimum. See {@link scans.cummin}. */
  cummin(this: Value, axis?: number, options?: scans.RunOptions): Value {
    return scans.cummin(this, axis, options);
  },
  /** Running ln Σ e^x. See {@link scans.logCumSumExp}. */
  logCumSumExp(this: Value, axis?: number, options?: scans.RunOptions): Value {
    return scans.logCumSumExp(this, axis, options);
  },
  /** Differences of neighbours. See {@link scans.diff}. */
  diff(this: Value, order?: number, axis?: number): Value {
    return scans.diff(this, order, axis);
  },
  /** The same elements in another shape; one size may be −1. See {@link movement.reshape}. */
  reshape(this: Value, shape: Shape): Value {
    return movement.reshape(this, shape);
  },
  /** Axes in another order, by default reversed. See {@link movement.transpose}. */
  transpose(this: Value, axes?: readonly number[]): Value {
    return movement.transpose(this, axes);
  },
  /** Repeated along new axes and axes of size 1. See {@link movement.broadcastTo}. */
  broadcastTo(this: Value, shape: Shape): Value {
    return movement.broadcastTo(this, shape);
  },
  /** A new axis of size 1 at each given place. See {@link movement.expandDims}. */
  expandDims(this: Value, axes: Axes): Value {
    return movement.expandDims(this, axes);
  },
  /** Without axes of size 1. See {@link movement.squeeze}. */
  squeeze(this: Value, axes?: Axes): Value {
    return movement.squeeze(this, axes);
  },
  /** Part of the value, one range an axis. See {@link slicing.slice}. */
  slice(this: Value, ...ranges: readonly slicing.Range[]): Value {
    return slicing.slice(this, ...ranges);
  },
  /** Joined with others along an axis. See {@link joining.concat}. */
  concat(this: Value, others: readonly Operand[], axis?: number): Value {
    return joining.concat([this, ...others], axis);
  },
  /** Joined with others along a new axis. See {@link joining.stack}. */
  stack(this: Value, others: readonly Operand[], axis?: number): Value {
    return joining.stack([this, ...others], axis);
  },
  /** With elements added around. See {@link padding.pad}. */
  pad(this: Value, widths: padding.PadWidths, options?: padding.PadOptions): Value {
    return padding.pad(this, widths, options);
  },
  /** Reversed along axes, by default all. See {@link arrangement.flip}. */
  flip(this: Value, axes?: Axes | null): Value {
    return arrangement.flip(this, axes);
  },
  /** Moved on along axes, the end entering at the start. See {@link arrangement.roll}. */
  roll(this: Value, shift: number | readonly number[], axes?: Axes | null): Value {
    return arrangement.roll(this, shift, axes);
  },
  /** The whole repeated along its axes. See {@link arrangement.tile}. */
  tile(this: Value, counts: number | readonly number[]): Value {
    return arrangement.tile(this, counts);
  },
  /** Each element repeated in place. See {@link arrangement.repeat}. */
  repeat(this: Value, counts: number | readonly number[], axis?: number): Value {
    return arrangement.repeat(this, counts, axis);
  },
  /** Two axes exchanged. See {@link arrangement.swapAxes}. */
  swapAxes(this: Value, a: number, b: number): Value {
    return arrangement.swapAxes(this, a, b);
  },
  /** Axes moved to other places. See {@link arrangement.moveAxis}. */
  moveAxis(this: Value, from: Axes, to: Axes): Value {
    return arrangement.moveAxis(this, from, to);
  },
  /** Parts along an axis. See {@link arrangement.split}. */
  split(this: Value, parts: number | readonly number[], axis?: number): Value[] {
    return arrangement.split(this, parts, axis);
  },
  /** The slices along an axis. See {@link arrangement.unstack}. */
  unstack(this: Value, axis?: number): Value[] {
    return arrangement.unstack(this, axis);
  },
  /** Windows that slide along an axis. See {@link arrangement.unfold}. */
  unfold(this: Value, axis: number, size: number, step?: number): Value {
    return arrangement.unfold(this, axis, size, step);
  },
  /** A diagonal over two axes. See {@link diagonals.diagonal}. */
  diagonal(this: Value, offset?: number, axis1?: number, axis2?: number): Value {
    return diagonals.diagonal(this, offset, axis1, axis2);
  },
  /** A vector as a diagonal matrix, a matrix's diagonal as a vector. See {@link diagonals.diag}. */
  diag(this: Value, offset?: number): Value {
    return diagonals.diag(this, offset);
  },
  /** The last axis on the diagonal of a matrix. See {@link diagonals.diagEmbed}. */
  diagEmbed(this: Value, offset?: number): Value {
    return diagonals.diagEmbed(this, offset);
  },
  /** The sum of a diagonal. See {@link diagonals.trace}. */
  trace(this: Value, offset?: number, axis1?: number, axis2?: number): Value {
    return diagonals.trace(this, offset, axis1, axis2);
  },
  /** The upper triangle of matrices. See {@link diagonals.triu}. */
  triu(this: Value, offset?: number): Value {
    return diagonals.triu(this, offset);
  },
  /** The lower triangle of matrices. See {@link diagonals.tril}. */
  tril(this: Value, offset?: number): Value {
    return diagonals.tril(this, offset);
  },
  /** The same numbers in another dtype. See {@link movement.cast}. */
  cast(this: Value, dtype: DType): Value {
    return movement.cast(this, dtype);
  },
  /** The value as a new node. See {@link movement.identity}. */
  identity(this: Value): Value {
    return movement.identity(this);
  },
  /** A constant with the same numbers. See {@link movement.stopGradient}. */
  stopGradient(this: Value): Value {
    return movement.stopGradient(this);
  },
  /** Matrix product. See {@link products.matmul}. */
  matmul(this: Value, b: Operand, options?: products.MatmulOptions): Value {
    return products.matmul(this, b, options);
  },
  /** Elements or slices at indices. See {@link selection.take}. */
  take(this: Value, indices: Operand, axis?: number): Value {
    return selection.take(this, indices, axis);
  },
  /** From each line its elements at its own indices. See {@link indexing.takeAlongAxis}. */
  takeAlongAxis(this: Value, indices: Operand, axis?: number): Value {
    return indexing.takeAlongAxis(this, indices, axis);
  },
  /** PyTorch's gather. See {@link indexing.gather}. */
  gather(this: Value, axis: number, indices: Operand): Value {
    return indexing.gather(this, axis, indices);
  },
  /** Elements or slices at one index an axis. See {@link indexing.takeAt}. */
  takeAt(this: Value, indices: readonly Operand[]): Value {
    return indexing.takeAt(this, indices);
  },
  /** Elements or slices where a mask holds. See {@link indexing.booleanMask}. */
  booleanMask(this: Value, mask: Operand): Value {
    return indexing.booleanMask(this, mask);
  },
  /** Where not 0: indices along each axis. See {@link indexing.nonzero}. */
  nonzero(this: Value): Value[] {
    return indexing.nonzero(this);
  },
  /** With a source added at indices along an axis. See {@link scatter.scatterAdd}. */
  scatterAdd(this: Value, axis: number, indices: Operand, source: Operand): Value {
    return scatter.scatterAdd(this, axis, indices, source);
  },
  /** With a source put at indices along an axis. See {@link scatter.scatterSet}. */
  scatterSet(this: Value, axis: number, indices: Operand, source: Operand): Value {
    return scatter.scatterSet(this, axis, indices, source);
  },
  /** With a part replaced, one range an axis. See {@link scatter.indexUpdate}. */
  indexUpdate(this: Value, ranges: readonly slicing.Range[], source: Operand): Value {
    return scatter.indexUpdate(this, ranges, source);
  },
  /** Sums of slices by segment. See {@link scatter.segmentSum}. */
  segmentSum(this: Value, segments: Operand, count?: number): Value {
    return scatter.segmentSum(this, segments, count);
  },
  /** Numbers evenly apart from this value to another. See {@link creation.linspace}. */
  linspace(this: Value, stop: Operand, count?: number, options?: creation.LinspaceOptions): Value {
    return creation.linspace(this, stop, count, options);
  },
  /** Coordinates on the grid of this vector and others. See {@link creation.meshgrid}. */
  meshgrid(this: Value, others: readonly Operand[], options?: creation.MeshgridOptions): Value[] {
    return creation.meshgrid([this, ...others], options);
  },
  /** With this value as the indices: rows of the identity matrix. See {@link selection.oneHot}. */
  oneHot(this: Value, count: number, dtype?: DType): Value {
    return selection.oneHot(this, count, dtype);
  },
  /** Einstein summation with this value as the first operand. See {@link einsum.einsum}. */
  einsum(this: Value, expression: string, ...others: readonly Operand[]): Value {
    return einsum.einsum(expression, this, ...others);
  },
  /** NumPy's dot product. See {@link einsum.dot}. */
  dot(this: Value, b: Operand): Value {
    return einsum.dot(this, b);
  },
  /** Products over the last axes of both. See {@link einsum.inner}. */
  inner(this: Value, b: Operand): Value {
    return einsum.inner(this, b);
  },
  /** Every element times every element of b. See {@link einsum.outer}. */
  outer(this: Value, b: Operand): Value {
    return einsum.outer(this, b);
  },
  /** Kronecker product. See {@link einsum.kron}. */
  kron(this: Value, b: Operand): Value {
    return einsum.kron(this, b);
  },
  /** The solution of this x = b. See {@link solving.solve}. */
  solve(this: Value, b: Operand): Value {
    return solving.solve(this, b);
  },
  /** The solution of this x = b for one triangle. See {@link solving.triangularSolve}. */
  triangularSolve(this: Value, b: Operand, options?: solving.TriangularSolveOptions): Value {
    return solving.triangularSolve(this, b, options);
  },
  /** The inverse matrix. See {@link solving.inverse}. */
  inverse(this: Value): Value {
    return solving.inverse(this);
  },
  /** The determinant. See {@link determinants.det}. */
  det(this: Value): Value {
    return determinants.det(this);
  },
  /** Sign and logarithm of the determinant. See {@link determinants.slogdet}. */
  slogdet(this: Value): { sign: Value; logAbsDet: Value } {
    return determinants.slogdet(this);
  },
  /** Factors of elimination with pivoting. See {@link solving.lu}. */
  lu(this: Value): { permutation: Value; l: Value; u: Value } {
    return solving.lu(this);
  },
  /** The Cholesky factor. See {@link triangular.cholesky}. */
  cholesky(this: Value): Value {
    return triangular.cholesky(this);
  },
  /** The reduced QR factorisation. See {@link triangular.qr}. */
  qr(this: Value): { q: Value; r: Value } {
    return triangular.qr(this);
  },
  /** Eigenvalues and eigenvectors of a symmetric matrix. See {@link spectral.eigh}. */
  eigh(this: Value): { eigenvalues: Value; eigenvectors: Value } {
    return spectral.eigh(this);
  },
  /** Real eigenvalues and their eigenvectors. See {@link spectral.eig}. */
  eig(this: Value): { eigenvalues: Value; eigenvectors: Value } {
    return spectral.eig(this);
  },
  /** The reduced singular value decomposition. See {@link spectral.svd}. */
  svd(this: Value): { u: Value; s: Value; vh: Value } {
    return spectral.svd(this);
  },
  /** The pseudoinverse. See {@link pseudoinverse.pinv}. */
  pinv(this: Value, options?: pseudoinverse.PseudoinverseOptions): Value {
    return pseudoinverse.pinv(this, options);
  },
  /** The least-squares solution of this x = b. See {@link pseudoinverse.lstsq}. */
  lstsq(this: Value, b: Operand, options?: pseudoinverse.PseudoinverseOptions): Value {
    return pseudoinverse.lstsq(this, b, options);
  },
  /** The matrix times itself. See {@link powers.matrixPower}. */
  matrixPower(this: Value, exponent: number): Value {
    return powers.matrixPower(this, exponent);
  },
  /** The exponential of the matrix. See {@link powers.expm}. */
  expm(this: Value): Value {
    return powers.expm(this);
  },
  /** A norm of the matrix. See {@link norms.matrixNorm}. */
  matrixNorm(this: Value, order?: norms.MatrixNormOrder): Value {
    return norms.matrixNorm(this, order);
  },
  /** The condition number of the matrix. See {@link norms.conditionNumber}. */
  conditionNumber(this: Value, order?: norms.MatrixNormOrder): Value {
    return norms.conditionNumber(this, order);
  },
  /** Convolution over 1 axis. See {@link convolution.conv1d}. */
  conv1d(this: Value, weight: Operand, options?: convolution.ConvolutionOptions): Value {
    return convolution.conv1d(this, weight, options);
  },
  /** Convolution over 2 axes. See {@link convolution.conv2d}. */
  conv2d(this: Value, weight: Operand, options?: convolution.ConvolutionOptions): Value {
    return convolution.conv2d(this, weight, options);
  },
  /** Convolution over 3 axes. See {@link convolution.conv3d}. */
  conv3d(this: Value, weight: Operand, options?: convolution.ConvolutionOptions): Value {
    return convolution.conv3d(this, weight, options);
  },
  /** The transpose of conv1d. See {@link convolution.convTranspose1d}. */
  convTranspose1d(this: Value, weight: Operand, options?: convolution.TransposedConvolutionOptions): Value {
    return convolution.convTranspose1d(this, weight, options);
  },
  /** The transpose of conv2d. See {@link convolution.convTranspose2d}. */
  convTranspose2d(this: Value, weight: Operand, options?: convolution.TransposedConvolutionOptions): Value {
    return convolution.convTranspose2d(this, weight, options);
  },
  /** The transpose of conv3d. See {@link convolution.convTranspose3d}. */
  convTranspose3d(this: Value, weight: Operand, options?: convolution.TransposedConvolutionOptions): Value {
    return convolution.convTranspose3d(this, weight, options);
  },
  /** The largest element of each window. See {@link pooling.maxPool}. */
  maxPool(this: Value, window: PerAxis, options?: pooling.PoolOptions): Value {
    return pooling.maxPool(this, window, options);
  },
  /** The mean of each window. See {@link pooling.avgPool}. */
  avgPool(this: Value, window: PerAxis, options?: pooling.AveragePoolOptions): Value {
    return pooling.avgPool(this, window, options);
  },
  /** The largest elements of evenly spread windows. See {@link pooling.adaptiveMaxPool}. */
  adaptiveMaxPool(this: Value, size: PerAxis): Value {
    return pooling.adaptiveMaxPool(this, size);
  },
  /** The means of evenly spread windows. See {@link pooling.adaptiveAvgPool}. */
  adaptiveAvgPool(this: Value, size: PerAxis): Value {
    return pooling.adaptiveAvgPool(this, size);
  },
  /** The last axes in other sizes. See {@link interpolation.interpolate}. */
  interpolate(this: Value, options: interpolation.InterpolateOptions): Value {
    return interpolation.interpolate(this, options);
  },
  /** Discrete Fourier transform of pairs. See {@link fourier.fft}. */
  fft(this: Value, options?: fourier.FourierOptions): Value {
    return fourier.fft(this, options);
  },
  /** The inverse of fft. See {@link fourier.ifft}. */
  ifft(this: Value, options?: fourier.FourierOptions): Value {
    return fourier.ifft(this, options);
  },
  /** Half of the Fourier transform of real numbers. See {@link fourier.rfft}. */
  rfft(this: Value, options?: fourier.FourierOptions): Value {
    return fourier.rfft(this, options);
  },
  /** The inverse of rfft. See {@link fourier.irfft}. */
  irfft(this: Value, options?: fourier.FourierOptions): Value {
    return fourier.irfft(this, options);
  },
  /** Adds the gradient into `.grad` of every parameter this was computed from. See {@link backward}. */
  backward(this: Value, cotangent?: Operand, options?: BackwardOptions): void {
    backward(this, cotangent, options);
  },
  /** The elements as nested arrays: what JSON.stringify writes. */
  toJSON(this: Value): NestedNumbers {
    return this.toArray();
  },
  /** What the value is and its data, shortened where it is long. */
  toString(this: Value): string {
    return format(this);
  },
};

type Methods = typeof methods;

declare module "./value.ts" {
  interface Value extends Methods {}
}

for (const [name, method] of Object.entries(methods)) {
  Object.defineProperty(Value.prototype, name, { value: method, writable: true, configurable: true });
}

// JavaScript's operators know no values: x * 2 would be NaN, and x + 1 a text.
Object.defineProperty(Value.prototype, Symbol.toPrimitive, {
  value(this: Value, hint: string) {
    if (hint === "string") return format(this);
    throw new ArgumentError({
      where: "Value",
      expected: "operators must be methods",
      received: "an operator of JavaScript",
      advice: "Write x.add(1) for x + 1, x.mul(2) for x * 2, and x.item() for the number.",
    });
  },
});

// What console.log prints in Node, Deno and Bun.
for (const name of ["nodejs.util.inspect.custom", "Deno.customInspect"]) {
  Object.defineProperty(Value.prototype, Symbol.for(name), {
    value(this: Value) {
      return format(this);
    },
  });
}
