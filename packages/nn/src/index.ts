/** The public surface of @adjoint/nn. */

export { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from "./checkpoint.ts";
export { type ClipNormOptions, clipGradNorm, clipGradValue } from "./clipping.ts";
export { type FitOptions, type FitResult, fit, TrainingError } from "./fit.ts";
export {
  constant,
  fanInUniform,
  heNormal,
  heUniform,
  type Initializer,
  normal,
  ones,
  uniform,
  xavierNormal,
  xavierUniform,
  zeros,
} from "./initializers.ts";
export {
  type Activation,
  type ActivationName,
  activations,
  ReLU,
  Sigmoid,
  Softmax,
  Softplus,
  Tanh,
} from "./layers/activations.ts";
export { Flatten } from "./layers/flatten.ts";
export { Linear, type LinearOptions } from "./layers/linear.ts";
export { MLP, type MLPOptions } from "./layers/mlp.ts";
export { type Layer, Sequential } from "./layers/sequential.ts";
export {
  binaryCrossEntropyWithLogits,
  type CrossEntropyOptions,
  type HuberOptions,
  huber,
  type LossOptions,
  meanAbsoluteError,
  meanSquaredError,
  type Reduction,
  softmaxCrossEntropy,
} from "./losses.ts";
export { accuracy, binaryAccuracy, rSquared } from "./metrics.ts";
export { type LoadOptions, Module } from "./module.ts";
export { Adadelta, type AdadeltaOptions } from "./optimizers/adadelta.ts";
export { Adagrad, type AdagradOptions } from "./optimizers/adagrad.ts";
export { Adam, type AdamOptions, AdamW, AMSGrad } from "./optimizers/adam.ts";
export { AdaMax } from "./optimizers/adamax.ts";
export { NAdam, type NAdamOptions } from "./optimizers/nadam.ts";
export { Optimizer, type OptimizerOptions, type Slot } from "./optimizers/optimizer.ts";
export { RMSprop, type RMSpropOptions } from "./optimizers/rmsprop.ts";
export { SGD, type SGDOptions } from "./optimizers/sgd.ts";
export { l1Penalty, l2Penalty } from "./penalties.ts";
export { decodeSafetensors, encodeSafetensors, type Safetensors, type Tensors } from "./safetensors.ts";
export {
  type CosineDecayOptions,
  constantRate,
  cosineDecay,
  type ExponentialDecayOptions,
  exponentialDecay,
  type Schedule,
  type StepDecayOptions,
  stepDecay,
  type WarmupOptions,
  warmup,
} from "./schedules.ts";
export { manualSeed, type RandomOptions } from "./seed.ts";
export type { Compile, CompiledParts } from "./training/batch.ts";
export { type EvaluateOptions, evaluate } from "./training/evaluate.ts";
export type {
  Examples,
  Loss,
  Metric,
  Scores,
  Stepper,
  Trainable,
  TrainingData,
} from "./training/parts.ts";
export type { BatchProgress, ProgressReporter, RunStart } from "./training/progress.ts";
export type { Best, EpochRecord, TrainingState } from "./training/state.ts";
export type { EarlyStopping } from "./training/stopping.ts";
export type { Totals } from "./training/totals.ts";
