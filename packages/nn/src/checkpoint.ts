/** Checkpoints: the state of a run as a safetensors file. */

import { ArgumentError, type Value } from "@adjoint/core";
import { decodeSafetensors, encodeSafetensors } from "./safetensors.ts";
import type { TrainingState } from "./training/state.ts";

/** A state and the texts that were saved beside it. */
export interface Checkpoint {
  readonly state: TrainingState;
  readonly metadata: Record<string, string>;
}

/** The metadata entry that holds everything but tensors. */
const KEY = "adjoint.training";
const VERSION = 1;

const PARTS = ["model", "optimizer", "best"] as const;

/** JSON has no NaN and no infinities; no text in a state is called so. */
function write(_key: string, x: unknown): unknown {
  return typeof x === "number" && !Number.isFinite(x) ? String(x) : x;
}

function read(_key: string, x: unknown): unknown {
  return x === "NaN" || x === "Infinity" || x === "-Infinity" ? Number(x) : x;
}

/**
 * The bytes of a checkpoint: tensors `model.…`, `optimizer.…` and `best.…`, and everything else as JSON in the metadata.
 * `metadata` adds texts of one's own, for example how the model was made.
 */
export function encodeCheckpoint(
  state: TrainingState,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const { model, optimizer, best, ...rest } = state;
  const tensors: [string, Value][] = [];
  for (const [part, named] of [
    ["model", model],
    ["optimizer", optimizer],
    ["best", best?.model],
  ] as const) {
    for (const [name, x] of Object.entries(named ?? {})) tensors.push([`${part}.${name}`, x]);
  }
  const plain = { version: VERSION, ...rest, best: best && { ...best, model: best.model !== null } };
  const texts = { ...metadata, [KEY]: JSON.stringify(plain, write) };
  return encodeSafetensors(Object.fromEntries(tensors), texts);
}

/** What the JSON of a checkpoint holds. */
type Plain = Omit<TrainingState, "model" | "optimizer" | "best"> & {
  readonly version: number;
  readonly best: { readonly epoch: number; readonly score: number; readonly model: boolean } | null;
};

function isPlain(x: unknown): x is Plain {
  if (typeof x !== "object" || x === null) return false;
  const { version, epoch, batch, totals, seconds, history, best, seed, batchSize, examples } = x as Plain;
  return (
    version === VERSION &&
    [epoch, batch, seconds, seed, batchSize, examples].every((n) => typeof n === "number") &&
    typeof totals === "object" &&
    typeof totals?.metrics === "object" &&
    Array.isArray(history) &&
    history.length === epoch &&
    typeof best === "object"
  );
}

/**
 * Reads the bytes of a checkpoint.
 *
 * Throws: as `decodeSafetensors`, and ArgumentError for a safetensors file that is no checkpoint.
 */
export function decodeCheckpoint(bytes: Uint8Array): Checkpoint {
  const { tensors, metadata } = decodeSafetensors(bytes);
  const { [KEY]: json, ...texts } = metadata;
  if (json === undefined) {
    throw new ArgumentError({
      where: "decodeCheckpoint",
      expected: "a checkpoint must say where its training stands",
      received: "only tensors",
      advice: "These are weights alone: load them with loadStateDict.",
    });
  }
  let plain: unknown;
  try {
    plain = JSON.parse(json, read);
  } catch {
    plain = null;
  }
  if (!isPlain(plain)) {
    throw new ArgumentError({
      where: "decodeCheckpoint",
      expected: `training state must be of version ${VERSION}`,
      received: json.length > 60 ? `${json.slice(0, 60)}…` : json,
      advice: "Another version of Adjoint wrote it.",
    });
  }
  const { version: _, best, ...rest } = plain;
  const part = (name: (typeof PARTS)[number]): Record<string, Value> =>
    Object.fromEntries(
      Object.entries(tensors)
        .filter(([key]) => key.startsWith(`${name}.`))
        .map(([key, x]) => [key.slice(name.length + 1), x] as const),
    );
  const kept = best && { ...best, model: best.model ? part("best") : null };
  return {
    state: { ...rest, best: kept, model: part("model"), optimizer: part("optimizer") },
    metadata: texts,
  };
}
