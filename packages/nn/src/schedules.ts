/** Schedules: learning rates as functions of the epoch, or of the step. */

import { checkOptions, type OptionNames } from "@adjoint/core/operations";
import { count, nonNegative, positive } from "./ranges.ts";

/** A learning rate from the epochs, or steps, that are behind: 0 for the first. */
export type Schedule = (epoch: number) => number;

/**
 * The same rate always.
 *
 * @example
 * constantRate(0.1)(7) // 0.1
 */
export function constantRate(rate: number): Schedule {
  nonNegative("constantRate", "rate", rate);
  return () => rate;
}

/** Options of `stepDecay`. */
export interface StepDecayOptions {
  /** The first rate. */
  readonly initial: number;
  /** Epochs between drops. */
  readonly every: number;
  /** What each drop multiplies the rate by. */
  readonly factor: number;
}

const STEP_DECAY: OptionNames<StepDecayOptions> = { initial: true, every: true, factor: true };

/**
 * Multiplied by a factor every so many epochs: initial·factor^⌊t/every⌋.
 *
 * @example
 * const rate = stepDecay({ initial: 1, every: 10, factor: 0.5 });
 * [rate(0), rate(9), rate(10), rate(25)] // [1, 1, 0.5, 0.25]
 */
export function stepDecay(options: StepDecayOptions): Schedule {
  const { initial, every, factor } = checkOptions("stepDecay", options, STEP_DECAY);
  nonNegative("stepDecay", "initial", initial);
  count("stepDecay", "every", every);
  positive("stepDecay", "factor", factor);
  return (epoch) => initial * factor ** Math.floor(epoch / every);
}

/** Options of `exponentialDecay`. */
export interface ExponentialDecayOptions {
  /** The first rate. */
  readonly initial: number;
  /** What `every` epochs multiply the rate by. */
  readonly factor: number;
  /** By default 1. */
  readonly every?: number;
}

const EXPONENTIAL_DECAY: OptionNames<ExponentialDecayOptions> = { initial: true, factor: true, every: true };

/**
 * Multiplied by a factor smoothly: initial·factor^(t/every).
 *
 * @example
 * exponentialDecay({ initial: 1, factor: 0.5 })(3) // 0.125
 */
export function exponentialDecay(options: ExponentialDecayOptions): Schedule {
  const { initial, factor, every = 1 } = checkOptions("exponentialDecay", options, EXPONENTIAL_DECAY);
  nonNegative("exponentialDecay", "initial", initial);
  positive("exponentialDecay", "factor", factor);
  positive("exponentialDecay", "every", every);
  return (epoch) => initial * factor ** (epoch / every);
}

/** Options of `cosineDecay`. */
export interface CosineDecayOptions {
  /** The first rate. */
  readonly initial: number;
  /** The last rate. By default 0. */
  readonly final?: number;
  /** Epochs until the last rate, which stays from there on. */
  readonly over: number;
}

const COSINE_DECAY: OptionNames<CosineDecayOptions> = { initial: true, final: true, over: true };

/**
 * Half a wave of the cosine from the first rate to the last: final + ½(initial − final)(1 + cos(πt/over)).
 *
 * Source: Loshchilov & Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts (2017), eq. 5, without restarts.
 *
 * @example
 * const rate = cosineDecay({ initial: 1, over: 10 });
 * [rate(0), rate(5), rate(10), rate(99)] // ~[1, 0.5, 0, 0]
 */
export function cosineDecay(options: CosineDecayOptions): Schedule {
  const { initial, final = 0, over } = checkOptions("cosineDecay", options, COSINE_DECAY);
  nonNegative("cosineDecay", "initial", initial);
  nonNegative("cosineDecay", "final", final);
  positive("cosineDecay", "over", over);
  return (epoch) => {
    // At the end cos is −1 exactly, and so the rate is the last one exactly.
    const wave = 1 + Math.cos((Math.PI * Math.min(epoch, over)) / over);
    return final + 0.5 * (initial - final) * wave;
  };
}

/** Options of `warmup`. */
export interface WarmupOptions {
  /** Epochs, or steps, until the schedule itself begins. */
  readonly over: number;
}

const WARMUP: OptionNames<WarmupOptions> = { over: true };

/**
 * A schedule that begins with a straight rise to its first rate: schedule(0)·(t + 1)/(over + 1) while t < over, then
 * schedule(t − over). No epoch is spent at rate 0.
 *
 * Source: Goyal et al., Accurate, Large Minibatch SGD (2017), §2.2.
 *
 * @example
 * const rate = warmup(constantRate(1), { over: 3 });
 * [rate(0), rate(1), rate(2), rate(3)] // [0.25, 0.5, 0.75, 1]
 */
export function warmup(schedule: Schedule, options: WarmupOptions): Schedule {
  const { over } = checkOptions("warmup", options, WARMUP);
  count("warmup", "over", over);
  return (epoch) => (epoch < over ? (schedule(0) * (epoch + 1)) / (over + 1) : schedule(epoch - over));
}
