/** The tool that GradBench runs: `npx tsx benchmarks/gradbench/tool.ts --target wasm`. */

import { spawn } from "node:child_process";

// The workspace's packages are their sources under this condition, which has to be there when Node starts.
const SOURCE = "--conditions=source";

if (process.execArgv.includes(SOURCE)) {
  const { serve } = await import("./serve.ts");
  await serve();
} else {
  const args = [SOURCE, ...process.execArgv, ...process.argv.slice(1)];
  const child = spawn(process.execPath, args, { stdio: "inherit" });
  child.on("exit", (code) => {
    process.exitCode = code ?? 1;
  });
}
