/** What libraries weigh in a browser: bundled and minified by esbuild, gzipped. */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { missingPackage } from "./peers/packages.ts";

/** The weight of one way to use a library. */
export interface BundleSize {
  readonly title: string;
  /** Minified and gzipped. */
  readonly bytes: number;
}

/** A program whose bundle is weighed. */
interface Bundle {
  readonly title: string;
  readonly code: string;
  /** Peers that it needs. */
  readonly packages?: readonly string[];
  /** Files that are loaded beside the bundle. */
  readonly files?: readonly string[];
}

const ELEMENTWISE = "value, grad, add, sub, mul, div, neg, exp, log, sqrt, sin, cos, tanh";
const WASM = "@tensorflow/tfjs-backend-wasm";

const bundles: readonly Bundle[] = [
  {
    title: "@adjoint/core: value, grad, elementwise operations",
    code: `export { ${ELEMENTWISE} } from "@adjoint/core/functions";`,
  },
  { title: "@adjoint/core, all", code: 'export * from "@adjoint/core";' },
  { title: "@adjoint/core and nn, all", code: 'export * from "@adjoint/core"; export * from "@adjoint/nn";' },
  { title: "@adjoint/compiler alone", code: 'export * from "@adjoint/compiler";' },
  { title: "jax-js, all", code: 'export * from "@jax-js/jax";', packages: ["@jax-js/jax"] },
  {
    title: "TensorFlow.js: core and cpu backend",
    code: 'export * from "@tensorflow/tfjs-core"; import "@tensorflow/tfjs-backend-cpu";',
    packages: ["@tensorflow/tfjs"],
  },
  {
    title: "TensorFlow.js: core and wasm backend, its SIMD module included",
    code: `export * from "@tensorflow/tfjs-core"; import "${WASM}";`,
    packages: ["@tensorflow/tfjs", WASM],
    files: [`${WASM}/dist/tfjs-backend-wasm-simd.wasm`],
  },
  { title: "TensorFlow.js, all", code: 'export * from "@tensorflow/tfjs";', packages: ["@tensorflow/tfjs"] },
  {
    title: "js-pytorch, without its GPU library",
    code: 'export * from "js-pytorch";',
    packages: ["js-pytorch"],
  },
];

/** What libraries reach for in Node alone. */
const NODE_ONLY = [
  "node:*",
  "fs",
  "path",
  "module",
  "os",
  "util",
  "crypto",
  "perf_hooks",
  "worker_threads",
  "node-fetch",
];

const here = fileURLToPath(new URL("./", import.meta.url));
const peers = fileURLToPath(new URL("./peers/", import.meta.url));

/** Weighs everything that is installed. */
export async function bundleSizes(): Promise<BundleSize[]> {
  const sizes: BundleSize[] = [];
  for (const { title, code, packages, files = [] } of bundles) {
    if (packages !== undefined && missingPackage(packages) !== null) continue;
    const folder = packages === undefined ? here : peers;
    const alone = await firstLoad(code, folder, title.includes("alone") ? ["@adjoint/core"] : []);
    const beside = files.map((file) => weigh(readFileSync(`${peers}node_modules/${file}`)));
    sizes.push({ title, bytes: beside.reduce((sum, bytes) => sum + bytes, alone) });
  }
  return sizes;
}

function weigh(contents: Uint8Array): number {
  return gzipSync(contents).length;
}

/** The weight of what a page loads at once: the entry and what it imports, without what it imports on demand. */
async function firstLoad(code: string, folder: string, without: readonly string[]): Promise<number> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: code, resolveDir: folder, loader: "js", sourcefile: "entry.js" },
    ...{ bundle: true, format: "esm", minify: true, splitting: true, metafile: true, write: false },
    ...{ outdir: "bundle", absWorkingDir: folder, logLevel: "silent", conditions: ["source"] },
    external: [...NODE_ONLY, ...without],
  });
  const loaded = new Set<string>();
  const load = (path: string): void => {
    if (loaded.has(path)) return;
    loaded.add(path);
    for (const { path: next, kind, external } of metafile.outputs[path]?.imports ?? []) {
      if (kind === "import-statement" && !external) load(next);
    }
  };
  for (const [path, { entryPoint }] of Object.entries(metafile.outputs)) {
    if (entryPoint?.endsWith("entry.js")) load(path);
  }
  return [...loaded].reduce((sum, path) => {
    const file = outputFiles.find((output) => output.path.endsWith(path.slice("bundle/".length)));
    return sum + weigh((file as { contents: Uint8Array }).contents);
  }, 0);
}
