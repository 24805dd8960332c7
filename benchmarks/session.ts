/** A contender's process, as the runner holds it: asks, waits, gives up. */

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createInterface, type Interface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { pythonProcess } from "./peers/pytorch.ts";
import type { Workload } from "./problem.ts";
import type { Command, Replies } from "./protocol.ts";

/** A running contender. */
export interface Session {
  /** Sends a command; rejects with the contender's own words, or when no reply comes in time. */
  ask<C extends Command>(command: C, milliseconds: number): Promise<Replies[C["do"]]>;
  /** Ends the process. */
  end(): void;
}

/** Begins a contender's process on a workload; `start` is still to be asked. */
export function open(workload: Workload, contender: string): Session {
  if (contender === "pytorch") {
    const { command, args, remove } = pythonProcess(workload);
    const session = converse(command, args);
    return {
      ...session,
      end() {
        session.end();
        remove();
      },
    };
  }
  const worker = fileURLToPath(new URL("./worker.ts", import.meta.url));
  return converse(process.execPath, ["--conditions=source", "--import", "tsx", worker]);
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

function converse(command: string, args: readonly string[]): Session {
  const child: Child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
  const lines: Interface = createInterface({ input: child.stdout });
  let complaint = "";
  child.stderr.on("data", (text: Buffer) => {
    complaint = `${complaint}${text}`.slice(-2000);
  });
  // Writing to a process that has just ended is told by "close".
  child.stdin.on("error", () => {});
  return {
    ask<C extends Command>(order: C, milliseconds: number) {
      return new Promise<Replies[C["do"]]>((resolve, reject) => {
        const settle = (act: () => void) => {
          clearTimeout(timer);
          lines.off("line", heard);
          child.off("close", closed);
          child.off("error", failed);
          act();
        };
        const heard = (line: string) => {
          if (!line.startsWith("{")) return;
          const reply = JSON.parse(line) as Replies[C["do"]] | { readonly error: string };
          settle(() => ("error" in reply ? reject(new Error(reply.error)) : resolve(reply)));
        };
        const failed = (error: Error) => settle(() => reject(error));
        const closed = (code: number | null) => {
          const last = complaint.trim().split("\n").at(-1);
          settle(() => reject(new Error(`its process ended with ${code}: ${last}`)));
        };
        const timer = setTimeout(() => {
          child.kill("SIGKILL");
          settle(() => reject(new Error(`no answer within ${milliseconds / 1000} s`)));
        }, milliseconds);
        lines.on("line", heard);
        child.on("close", closed);
        child.on("error", failed);
        if (child.exitCode !== null) closed(child.exitCode);
        child.stdin.write(`${JSON.stringify(order)}\n`);
      });
    },
    end() {
      child.stdin.end();
      child.kill();
    },
  };
}
