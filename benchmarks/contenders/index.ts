/** Who takes part, in the order of the report, and what each needs to be there. */

import { installedVersion, missingPackage } from "../peers/packages.ts";
import { missingTorch, torchVersion } from "../peers/pytorch.ts";
import type { Contender } from "../problem.ts";

/** A contender as it is listed, before anything of it is loaded. */
export interface Entry {
  /** What `--contenders` selects by. */
  readonly id: string;
  readonly title: string;
  /** Why it cannot take part, or null where it can. */
  readonly missing: () => string | null;
  /** Loads it; null for a contender that lives in another program. */
  readonly load: (() => Contender | Promise<Contender>) | null;
  /** The version of another's library, where it is there. */
  readonly version?: () => string | null;
  /** Packages of `peers/package.json` that it needs. */
  readonly packages?: readonly string[];
}

function peer(id: string, title: string, packages: readonly string[], load: Entry["load"]): Entry {
  const version = () => installedVersion(packages[0] as string);
  return { id, title, packages, load, version, missing: () => missingPackage(packages) };
}

function tensorFlow(backend: "cpu" | "wasm"): Entry {
  const packages = ["@tensorflow/tfjs", ...(backend === "wasm" ? ["@tensorflow/tfjs-backend-wasm"] : [])];
  return peer(`tfjs-${backend}`, `TensorFlow.js, ${backend}`, packages, async () => {
    const { tensorFlow } = await import("../peers/tensorflow.ts");
    return tensorFlow(backend);
  });
}

function own(id: string, title: string, load: Entry["load"]): Entry {
  return { id, title, load, missing: () => null };
}

async function compiled(threads: number): Promise<Contender> {
  const [{ adjoint }, { compile }] = await Promise.all([import("./adjoint.ts"), import("@adjoint/compiler")]);
  return adjoint(((f: never) => compile(f, { threads })) as typeof compile);
}

async function native(threads: number): Promise<Contender> {
  const [{ adjoint }, { compile }, { c }] = await Promise.all([
    import("./adjoint.ts"),
    import("@adjoint/compiler"),
    import("@adjoint/native"),
  ]);
  return adjoint(((f: never) => compile(f, { target: c, threads })) as typeof compile);
}

// Everything is loaded where it works, so that its memory and time of loading count as its own.
export const entries: readonly Entry[] = [
  own("hand", "hand-written JavaScript", async () => (await import("./hand-written.ts")).handWritten),
  own("eager", "Adjoint, eager", async () => (await import("./adjoint.ts")).adjoint((f) => f)),
  own("compiled", "Adjoint, compiled", () => compiled(1)),
  own("threads", "Adjoint, compiled, 2 threads", () => compiled(2)),
  own("native", "Adjoint, compiled to C", () => native(1)),
  own("native-threads", "Adjoint, compiled to C, 2 threads", () => native(2)),
  own("closures", "closures, as micrograd", async () => (await import("../peers/closures.ts")).closures),
  peer("jax-js", "jax-js, jit, wasm", ["@jax-js/jax"], async () =>
    (await import("../peers/jax-js.ts")).jaxJs(),
  ),
  tensorFlow("wasm"),
  tensorFlow("cpu"),
  peer("js-pytorch", "js-pytorch", ["js-pytorch"], async () => {
    return (await import("../peers/js-pytorch.ts")).jsPyTorch();
  }),
  { id: "pytorch", title: "PyTorch, 1 thread", missing: missingTorch, version: torchVersion, load: null },
];
