/** State: whether operations are recorded, who looks on or traces, and the time that versions are told by. */

import type { Value } from "./value.ts";

/** Shown every node that is made, with its inputs; keeps operations off their fast paths. */
export type Inspector = (node: Value, inputs: readonly Value[]) => void;

/**
 * Stands between a function that is traced and the data that it may assign to: parameters and buffers, which then have
 * no data of their own, only what was assigned to them so far.
 */
export interface Tracer {
  /** What stands for the data of a parameter or buffer now: a value, mostly without data. */
  read(x: Value): Value;
  assign(x: Value, next: Value): void;
  /** Runs both branches of a choice that depends on data, and joins what they assign; `changed` where they do. */
  choose<R>(
    condition: Value,
    whenTrue: () => R,
    whenFalse: () => R,
  ): { readonly results: readonly [R, R]; readonly changed: boolean };
  readGrad(x: Value): Value | null;
  writeGrad(x: Value, grad: Value | null): void;
  /** What everything is now, to be told from what it will be, or gone back to. */
  mark(): Mark;
}

/** The data or the gradient of a parameter or buffer in a traced function. */
export interface Cell {
  /** What it is now; null for no gradient. */
  get(): Value | null;
  set(x: Value | null): void;
}

/** A point in a traced function. */
export interface Mark {
  /** Whether anything was assigned since to what was there then. */
  changed(): boolean;
  /** The cells, always the same ones, that were assigned since; null where a gradient came or went. */
  changes(): Cell[] | null;
  /** Undoes what was assigned since. */
  rewind(): void;
}

/** Whether operations are recorded, who looks on, and the time that versions are told by. */
export const state: {
  recording: boolean;
  inspector: Inspector | null;
  tracer: Tracer | null;
  plain: boolean;
  sweeping: Value | null;
  constant: boolean;
  captures: number;
  clock: number;
  assignedAt: number;
} = {
  recording: true,
  inspector: null,
  tracer: null,
  /** Whether neither an inspector nor a tracer is at work, so that scalars may take their fast paths. */
  plain: true,
  /** Whether noGrad is at work: what is captured then will be evaluated without recording. */
  constant: false,
  /** How many captures are at work, one in another: values may have no data. */
  captures: 0,
  /** The node whose rule a recorded sweep is applying. */
  sweeping: null,
  /** Advances when a parameter is assigned and when a transform begins; a node keeps the time of its making. */
  clock: 0,
  /** The clock at the last assignment to any parameter. */
  assignedAt: 0,
};

/** Sets who looks on; returns who did before. */
export function setInspector(inspector: Inspector | null): Inspector | null {
  const before = state.inspector;
  state.inspector = inspector;
  state.plain = inspector === null && state.tracer === null;
  return before;
}

/** Sets who traces; returns who did before. */
export function setTracer(tracer: Tracer | null): Tracer | null {
  const before = state.tracer;
  state.tracer = tracer;
  state.plain = tracer === null && state.inspector === null;
  return before;
}

/** A value as operations read it: where a tracer is at work, what stands for the data of a parameter or buffer now. */
export function current(x: Value): Value {
  return state.tracer !== null && x.extra?.assignable ? state.tracer.read(x) : x;
}

/** Whether somebody looks on at every operation, or traces them. */
export function isWatched(): boolean {
  return !state.plain;
}

/** Whether what is computed of differentiable values is recorded: not inside noGrad. */
export function isRecording(): boolean {
  return state.recording;
}
