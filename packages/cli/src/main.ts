#!/usr/bin/env node
/** The adjoint command. */

import { run } from "./command.ts";

// A reader that has had enough, as `head`, is no error; a full disk under a redirection is.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    if (stream === process.stdout)
      process.stderr.write(`adjoint: output cannot be written: ${error.message}.\n`);
    process.exit(1);
  });
}

process.exitCode = await run(process.argv.slice(2));
