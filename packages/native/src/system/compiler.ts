/** The machine's C compiler: which one there is, what it makes code for, and shared libraries of sources. */

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Features } from "../c/helpers.ts";
import { CompilerError } from "../errors.ts";

/** A compiler that works. */
export interface Compiler {
  /** The program and its first arguments. */
  readonly command: readonly string[];
  /** What makes it use all that the processor has. */
  readonly machine: readonly string[];
  readonly features: Features;
  /** A digest of its version, and of the processor that it makes code for. */
  readonly identity: string;
  /** Milliseconds after which it is stopped. */
  readonly timeLimit: number;
}

const CANDIDATES = ["cc", "gcc", "clang"] as const;

/** What reads and writes of the processor's own is asked for by, the first that a compiler knows. */
const MACHINES = [["-march=native"], ["-mcpu=native"], []] as const;

/**
 * No reassociation, and no a·b + c rounded once but where the code says so: our functions rely on how they round. Whole
 * numbers wrap, and memory is used for numbers of several types.
 */
const FLAGS = [
  ...["-std=gnu11", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math"],
  ...["-fwrapv", "-fno-strict-aliasing", "-fvisibility=hidden", "-w"],
  ...["-shared", ...(process.platform === "win32" ? [] : ["-fPIC"])],
];

const known = new Map<string, Compiler>();

/**
 * The compiler that is named, that the environment's CC names, or the first of cc, gcc and clang.
 *
 * Throws: CompilerError where there is none that answers.
 */
export function findCompiler(named: string | undefined, timeLimit: number): Compiler {
  const given = named ?? process.env["CC"];
  const commands =
    given === undefined || given.trim() === ""
      ? CANDIDATES.map((name) => [name])
      : [given.trim().split(/\s+/)];
  const key = `${JSON.stringify(commands)} ${process.env["PATH"]} ${timeLimit}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  let failure: CompilerError | null = null;
  for (const command of commands) {
    try {
      const compiler = probe(command, timeLimit);
      known.set(key, compiler);
      return compiler;
    } catch (error) {
      if (!(error instanceof CompilerError)) throw error;
      failure ??= error;
    }
  }
  throw failure;
}

/** Asks a compiler for its predefined macros: they tell its version, and the processor's instructions. */
function probe(command: readonly string[], timeLimit: number): Compiler {
  let failure: CompilerError | null = null;
  for (const machine of MACHINES) {
    try {
      const macros = execute(
        { command, timeLimit },
        (folder) => [...machine, "-dM", "-E", "-x", "c", join(folder, SOURCE)],
        "",
        (folder) => readFileSync(join(folder, OUTPUT), "utf8"),
      );
      if (!macros.includes("#define __STDC__")) throw failed(command, "something else than C's macros");
      return {
        command,
        machine,
        features: featuresOf(macros),
        identity: createHash("sha256").update(macros).digest("hex"),
        timeLimit,
      };
    } catch (error) {
      if (!(error instanceof CompilerError)) throw error;
      failure ??= error;
    }
  }
  throw failure;
}

function featuresOf(macros: string): Features {
  const has = (name: string) => macros.includes(`#define ${name} `);
  const wide = ["__AVX512F__", "__AVX512DQ__", "__AVX512VL__", "__AVX512BW__"].every(has);
  return { vectorBytes: wide ? 64 : has("__AVX2__") ? 32 : 16, fused: has("__FP_FAST_FMA") };
}

/** Sources of more characters are straight lines of scalars, of which compilers make little more with more thought. */
const LONG = 400_000;

/**
 * All flags that a library is made with. What -O3 does more than -O2 was measured to gain nothing here, vectors being
 * written as such, and takes half as long again.
 */
export function flagsOf({ machine }: Compiler, source: string): readonly string[] {
  return [source.length > LONG ? "-O1" : "-O2", ...FLAGS, ...machine];
}

/** Compiles a source to a shared library, which is made elsewhere and copied to its place. */
export function makeLibrary(compiler: Compiler, source: string, to: string): void {
  const math = process.platform === "win32" ? [] : ["-lm"];
  const libraryIn = (folder: string) => join(folder, "library");
  execute(
    compiler,
    (folder) => [
      ...flagsOf(compiler, source),
      ...["-x", "c", join(folder, SOURCE), "-o", libraryIn(folder)],
      ...math,
    ],
    source,
    (folder) => {
      if (!existsSync(libraryIn(folder))) throw failed(compiler.command, "no library");
      copyFileSync(libraryIn(folder), to);
    },
  );
}

/** Files of the folder that a compiler is run in. */
const SOURCE = "source.c";
const OUTPUT = "output";

/**
 * Runs a command within a limit of seconds of processor time. When descriptor 3 closes, which is when this process ends,
 * however it does, or stops the command, all that the command has started is ended and its folder removed. A command that
 * is not there is status 127 without a word.
 */
const WATCHED = `
ulimit -t "$1" 2> /dev/null
folder=$2
shift 2
command -v -- "$1" > /dev/null 2>&1 || exit 127
{ read -r _ <&3; rm -rf -- "$folder"; kill -s KILL -- "-$$"; } &
watchdog=$!
"$@" 3<&-
status=$?
kill "$watchdog"
exit "$status"`;

/** A command as it is started: by a shell that watches it, where there is one. */
function watched(command: readonly string[], timeLimit: number, folder: string): readonly string[] {
  if (process.platform === "win32") return command;
  return ["/bin/sh", "-c", WATCHED, "sh", String(Math.ceil(timeLimit / 1000)), folder, ...command];
}

/** A group of processes of its own, so that all of it can be ended: `spawnSync` has this option of `spawn`, its types do not. */
const GROUP = { detached: process.platform !== "win32" };

/** Runs a compiler on a source in a folder; what is found there afterwards. */
function execute<T>(
  { command, timeLimit }: Pick<Compiler, "command" | "timeLimit">,
  argumentsFor: (folder: string) => readonly string[],
  source: string,
  result: (folder: string) => T,
): T {
  const folder = makeFolder(command);
  // Files, not pipes: what a stopped compiler has started may hold pipes open where nobody watches it.
  const [input, output, errors] = [SOURCE, OUTPUT, "errors"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  try {
    writeFileSync(input, source);
    const files = [openSync(output, "w"), openSync(errors, "w")];
    const [program, ...rest] = watched([...command, ...argumentsFor(folder)], timeLimit, folder);
    const { status, signal, error } = spawnSync(program as string, rest, {
      ...GROUP,
      stdio: ["ignore", ...files, "pipe"],
      // What a compiler that is stopped leaves behind goes with the folder.
      env: { ...process.env, TMPDIR: folder },
      timeout: timeLimit,
      killSignal: "SIGKILL",
      windowsHide: true,
    });
    for (const file of files) closeSync(file);
    const code = (error as NodeJS.ErrnoException | undefined)?.code;
    if (code === "ETIMEDOUT") throw failed(command, `no answer in ${timeLimit / 1000} s`);
    if (error !== undefined) throw failed(command, code === "ENOENT" ? "no such program" : error.message);
    if (status !== 0) {
      const said = readFileSync(errors, "utf8").split("\n");
      const line =
        said.find((text) => /error|failed|cannot/.test(text)) ?? said.find((text) => text !== "") ?? "";
      if (status === 127 && line === "") throw failed(command, "no such program");
      const why = signal === null ? `exit code ${status}` : `signal ${signal}`;
      throw failed(command, line === "" ? why : `${why} (${line.replace(input, "source").trim()})`);
    }
    return result(folder);
  } finally {
    // One that was stopped may still be writing for a moment.
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** A folder for one call of a compiler. */
function makeFolder(command: readonly string[]): string {
  try {
    return mkdtempSync(join(tmpdir(), "adjoint-"));
  } catch (error) {
    throw failed(command, `no folder for temporary files (${(error as Error).message})`);
  }
}

/** The error of a compiler that does not work. */
export function failed(command: readonly string[], received: string): CompilerError {
  return new CompilerError({
    where: "c",
    expected: `the C compiler ${JSON.stringify(command.join(" "))} must work`,
    received,
    advice: 'Install gcc or clang, name one in CC, or compile with target "wasm".',
  });
}
