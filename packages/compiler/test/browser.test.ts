/**
 * Everything in a browser, under a policy that forbids code generation. Skipped where there is no Chromium; `npm run
 * test:browser` installs one where it can.
 */

import { spawn } from "node:child_process";
import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { workerScript } from "@adjoint/compiler";
import { build } from "esbuild";
import { expect, test } from "vitest";
import type { Report } from "./browser/page.ts";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "chrome"];
const browser =
  process.env["CHROMIUM"] ??
  (process.env["PATH"] ?? "")
    .split(delimiter)
    .flatMap((folder) => NAMES.map((name) => join(folder, name)))
    .find(isExecutable);

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** What a page that runs a script reports, in a browser of its own. */
async function reportOf(script: string, headers: Readonly<Record<string, string>>): Promise<Report> {
  const profile = mkdtempSync(join(tmpdir(), "adjoint-browser-"));
  let settle: (report: Report) => void = () => {};
  const reported = new Promise<Report>((resolve) => {
    settle = resolve;
  });
  const server = createServer((request, response) => {
    if (request.url === "/report") {
      let body = "";
      request.on("data", (part) => {
        body += part;
      });
      request.on("end", () => {
        response.end();
        settle(JSON.parse(body));
      });
      return;
    }
    const page = '<!doctype html><script type="module" src="/page.js"></script>';
    const files: Readonly<Record<string, string>> = {
      "/": page,
      "/page.js": script,
      "/worker.js": workerScript,
    };
    const file = files[request.url ?? ""];
    if (file === undefined) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, {
      "Content-Type": file === page ? "text/html" : "text/javascript",
      "Content-Security-Policy":
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'",
      ...headers,
    });
    response.end(file);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  // Chromium does not start in its sandbox as root.
  const rights = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  const flags = ["--headless", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"];
  const child = spawn(
    browser as string,
    [...flags, ...rights, `--user-data-dir=${profile}`, `http://127.0.0.1:${port}/`],
    // A group of its own, where there are groups: the browser's helpers end with it.
    { stdio: "ignore", detached: process.platform !== "win32" },
  );
  const ended = new Promise<never>((_, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => reject(new Error(`the browser ended with ${code}`)));
  });
  try {
    return await Promise.race([reported, ended]);
  } finally {
    ended.catch(() => {});
    const gone = new Promise((resolve) =>
      child.exitCode === null ? child.once("exit", resolve) : resolve(null),
    );
    if (process.platform === "win32" || child.pid === undefined) child.kill();
    else process.kill(-child.pid, "SIGKILL");
    await gone;
    server.closeAllConnections();
    server.close();
    await remove(profile);
  }
}

/** Removes a folder in which somebody may still be writing. */
async function remove(folder: string, attempts = 50): Promise<void> {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch (error) {
    if (attempts === 0) throw error;
    await new Promise((resolve) => setTimeout(resolve, 100));
    await remove(folder, attempts - 1);
  }
}

const ISOLATED = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

test.skipIf(browser === undefined)(
  `compiled functions compute in a browser what eager ones do, isolated or not${browser === undefined ? ": no Chromium here, npm run test:browser installs one" : ""}`,
  async () => {
    const { outputFiles } = await build({
      entryPoints: [fileURLToPath(new URL("browser/page.ts", import.meta.url))],
      bundle: true,
      write: false,
      format: "esm",
      target: "es2022",
      conditions: ["source"],
    });
    const script = outputFiles[0]?.text ?? "";
    const parts = ["elementwise", "products", "training", "threads", "random programs"];
    const nothing = Object.fromEntries(parts.map((name) => [name, null]));
    for (const [headers, isolated] of [
      [{}, false],
      [ISOLATED, true],
    ] as const) {
      expect(await reportOf(script, headers)).toEqual({ isolated, strict: true, found: nothing });
    }
  },
  120_000,
);
