/** The peers' npm packages: whether they are installed in this folder, installing them, loading them. */

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = new URL("./", import.meta.url);

interface Manifest {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

function manifest(path: string): Manifest | null {
  const file = new URL(path, folder);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Manifest) : null;
}

/** The version that is installed, or null. */
export function installedVersion(name: string): string | null {
  return manifest(`node_modules/${name}/package.json`)?.version ?? null;
}

/** Why these packages cannot be used, or null where all are installed in the versions that package.json states. */
export function missingPackage(names: readonly string[]): string | null {
  const wanted = manifest("package.json")?.dependencies ?? {};
  const missing = names.filter((name) => installedVersion(name) !== wanted[name]);
  return missing.length === 0 ? null : `${missing.join(", ")} not installed in benchmarks/peers`;
}

/** Installs the peers, without running any script of theirs. Returns why that failed, or null. */
export function installPeers(): string | null {
  const { status, stderr, error } = spawnSync(
    "npm",
    ["install", "--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund"],
    {
      cwd: fileURLToPath(folder),
      encoding: "utf8",
      stdio: ["ignore", "ignore", "pipe"],
      shell: process.platform === "win32",
      timeout: 180_000,
    },
  );
  if (status === 0) return null;
  const reason = /npm (?:error|ERR!) code (\S+)/.exec(stderr)?.[1] ?? error?.message ?? `exit code ${status}`;
  return `npm install in benchmarks/peers failed: ${reason}`;
}

/** Loads an installed peer, its types stated by who uses it: nothing here is compiled against a peer. */
export async function loadPeer<T>(name: string): Promise<T> {
  return (await import(name)) as T;
}
