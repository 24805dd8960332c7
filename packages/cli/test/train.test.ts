/** The command itself, as a process: what it prints, what it leaves, and how it ends. */
import { spawn } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseCsv } from "@adjoint/data";
import { decodeSafetensors, MLP } from "@adjoint/nn";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
const command = [process.execPath, "--import", tsx, "--conditions=source", main, "train"];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "adjoint-cli-"));
  const rows = Array.from({ length: 120 }, (_, i) => {
    const x = 2 * Math.sin(12.9898 * i);
    const colour = ["red", "green", "blue"][i % 3] as string;
    const price = 1000 + 300 * x + (colour === "red" ? 100 : 0);
    return `${x},${colour},${price},${x > 0 ? "high" : "low"}`;
  });
  writeFileSync(join(folder, "houses.csv"), `size,colour,price,kind\n${rows.join("\n")}\n`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The last line of standard output, as JSON. */
  readonly json: Record<string, unknown>;
}

interface Running {
  readonly watch?: (text: string, kill: (signal: NodeJS.Signals) => void) => void;
  readonly stdout?: number;
  /** The script of package.json that npm runs the command in. */
  readonly script?: string;
  readonly wrapped?: (command: readonly string[]) => string[];
}

/** Runs the command to its end. */
async function adjoint(
  args: readonly string[],
  { watch, stdout: fd, script, wrapped }: Running = {},
): Promise<Ended> {
  const [file, ...rest] = wrapped === undefined ? [...command, ...args] : wrapped([...command, ...args]);
  const { npm_lifecycle_event: _, ...others } = process.env;
  const env = script === undefined ? others : { ...others, npm_lifecycle_event: script };
  const child = spawn(file as string, rest, { stdio: ["ignore", fd ?? "pipe", "pipe"], cwd: folder, env });
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (text) => {
    stdout += text;
    watch?.(stdout, (signal) => child.kill(signal));
  });
  child.stderr?.on("data", (text) => {
    stderr += text;
    watch?.(stderr, (signal) => child.kill(signal));
  });
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  const last = stdout.trimEnd().split("\n").at(-1) ?? "";
  return { code, stdout, stderr, json: last.startsWith("{") ? JSON.parse(last) : {} };
}

const price = ["--csv", "houses.csv", "--target", "price"];
const out = (name: string) => join(folder, name);
const bytes = (name: string, file: string) => readFileSync(join(folder, name, file));

/** What a run measured, without the seconds. */
function history(name: string) {
  const { history: records } = JSON.parse(bytes(name, "history.json").toString()) as {
    history: { seconds: number }[];
  };
  return records.map((record) => ({ ...record, seconds: 0 }));
}

describe.concurrent("adjoint train", { timeout: 60_000 }, () => {
  test("train learns a number from a table, and its weights give it in its own units", async () => {
    const { code, stdout, json } = await adjoint([
      ...price,
      "--epochs",
      "60",
      "--json",
      "--out",
      "regression",
    ]);
    expect(code).toBe(0);
    expect(stdout.trimEnd().split("\n")).toHaveLength(1);
    expect(json).toMatchObject({
      epochs: 60,
      measuredOn: "validation",
      gradientCheck: true,
      stopped: "epochs",
    });
    expect(json["error"]).toBeLessThan(60);
    expect(readdirSync(out("regression")).sort()).toEqual([
      "checkpoint.safetensors",
      "history.json",
      "loss.svg",
      "model.safetensors",
    ]);
    expect(bytes("regression", "loss.svg").toString()).toMatch(/^<svg/);
    expect(history("regression")).toHaveLength(60);

    const { tensors, metadata } = decodeSafetensors(bytes("regression", "model.safetensors"));
    const { sizes, activation, encoding } = JSON.parse(metadata["adjoint.model"] as string);
    const model = new MLP(sizes, { activation });
    model.loadStateDict(tensors);
    const rows = parseCsv("size,colour,kind\n0.01,red,high\n1,blue,high\n");
    const [red, blue] = model.forward(rows.encodeInputs(encoding)).data;
    expect(Math.abs((red as number) - 1100)).toBeLessThan(100);
    expect(Math.abs((blue as number) - 1300)).toBeLessThan(100);
  });

  test("train learns classes from a table, and tells people about it", async () => {
    const { code, stdout, stderr } = await adjoint([
      ...["--csv", "houses.csv", "--target", "kind", "--epochs", "40", "--out", "classes"],
      ...["--hidden", "16,8", "--activation", "tanh", "--optimizer", "nesterov", "--batch-size", "full"],
    ]);
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(stdout).toContain(
      'houses.csv: "kind", 2 classes, from 3 columns; 96 rows to train on, 24 to validate on',
    );
    expect(stdout).toContain("MLP 5 → 16 → 8 → 2, tanh, 250 parameters");
    expect(stdout).toContain("nesterov, rate 0.05 (cosine), full batches, 40 epochs, seed 1");
    expect(
      stdout.match(/^epoch +\d+\/40 {2}loss [\d.e-]+ {2}accuracy [\d.]+% {2}validation /gm),
    ).toHaveLength(40);
    expect(stdout).toMatch(/Validation accuracy [\d.]+%: \d+ of 24 wrong/);
    expect(stdout).toContain("Train further: adjoint train --resume classes --epochs 44");
  });

  test("train gives the same weights for the same seed, and others for another", async () => {
    const run = (name: string, seed: string) =>
      adjoint([...price, "--epochs", "3", "--seed", seed, "--out", name, "--quiet"]);
    const ended = await Promise.all([run("seed-a", "7"), run("seed-b", "7"), run("seed-c", "8")]);
    for (const { code, stdout, stderr } of ended) expect([code, stdout, stderr]).toEqual([0, "", ""]);
    expect(bytes("seed-b", "model.safetensors")).toEqual(bytes("seed-a", "model.safetensors"));
    expect(bytes("seed-c", "model.safetensors")).not.toEqual(bytes("seed-a", "model.safetensors"));
  });

  test("train stops early with the best weights", async () => {
    const { json } = await adjoint([
      ...[...price, "--epochs", "400", "--patience", "2", "--optimizer", "sgd", "--schedule", "constant"],
      ...["--json", "--quiet", "--out", "early"],
    ]);
    expect(json["stopped"]).toBe("early stopping");
    expect(json["epochs"]).toBe((json["bestEpoch"] as number) + 2);
  });

  test("train reads MNIST, is interrupted by Ctrl-C, and goes on to the same bits", async () => {
    const args = ["--limit", "1000", "--epochs", "5", "--hidden", "32"];
    const whole = await adjoint([...args, "--out", "whole", "--json"]);
    expect(whole.code).toBe(0);
    expect(whole.json).toMatchObject({ data: "mnist", measuredOn: "test", epochs: 5, parameters: 25450 });
    expect(whole.json["accuracy"]).toBeGreaterThan(0.7);
    expect(whole.stderr).toContain("MNIST, handwritten digits: 1 000 to train on, 1 000 to test on");

    let sent = false;
    const first = await adjoint([...args, "--out", "parts"], {
      watch: (text, kill) => {
        if (sent || !text.includes("epoch 1/5")) return;
        sent = true;
        kill("SIGINT");
      },
    });
    expect(first.code).toBe(130);
    expect(first.stdout).toMatch(/Interrupted after \d epochs?( and \d+ batch(es)?)?; saved in parts/);
    expect(first.stdout).toContain("Go on with: adjoint train --resume parts\n");
    expect(readdirSync(out("parts"))).toEqual(["checkpoint.safetensors"]);

    const second = await adjoint(["--resume", "parts", "--json", "--quiet"]);
    expect(second.code).toBe(0);
    expect(bytes("parts", "model.safetensors")).toEqual(bytes("whole", "model.safetensors"));
    expect(history("parts")).toEqual(history("whole"));
    expect({ ...second.json, out: 0, seconds: 0, gradientCheck: 0 }).toEqual({
      ...whole.json,
      out: 0,
      seconds: 0,
      gradientCheck: 0,
    });
  });

  test("train ends with 143 on SIGTERM, and its last line is JSON", async () => {
    let sent = false;
    const { code, json } = await adjoint([...price, "--epochs", "100000", "--json", "--out", "term"], {
      watch: (text, kill) => {
        if (sent || !text.includes("epoch      3/100000")) return;
        sent = true;
        kill("SIGTERM");
      },
    });
    expect(code).toBe(143);
    expect(json).toMatchObject({ stopped: "signal", resume: "term" });
  });

  test("train goes on beyond the last epoch with --epochs", async () => {
    await adjoint([...price, "--epochs", "2", "--quiet", "--out", "more"]);
    const { code, stdout } = await adjoint(["--resume", "more/checkpoint.safetensors", "--epochs", "4"]);
    expect(code).toBe(0);
    expect(stdout).toContain("Going on after 2 epochs.\n");
    expect(stdout.match(/^epoch /gm)).toHaveLength(2);
    expect(history("more")).toHaveLength(4);
  });

  test("train says what is wrong with a resumed run, and leaves it as it was", async () => {
    await adjoint([...price, "--epochs", "2", "--quiet", "--out", "kept"]);
    const before = bytes("kept", "checkpoint.safetensors");
    const other = "size,colour,price,kind\n1,red,2,a\n2,red,3,b\n3,red,5,a\n4,blue,6,b\n5,red,7,b\n";
    writeFileSync(join(folder, "other.csv"), other);
    const refusals = [
      [
        ["--hidden", "5"],
        "--hidden must be 64, as in the run to resume, got 5. Leave it out, or begin a new run without --resume.",
      ],
      [
        ["--batch-size", "full"],
        "--batch-size must be 32, as in the run to resume, got full. Leave it out, or begin a new run without --resume.",
      ],
      [
        ["--limit", "9"],
        "--limit must be none, as in the run to resume, got 9. Leave it out, or begin a new run without --resume.",
      ],
      [
        ["--csv", "other.csv"],
        "--resume the data must be those that the run to resume was trained on, got others from other.csv. Begin a new run without --resume.",
      ],
    ] as const;
    for (const [args, message] of refusals) {
      const { code, stdout, stderr } = await adjoint(["--resume", "kept", ...args]);
      expect([code, stdout, stderr]).toEqual([1, "", `adjoint: ${message}\n`]);
    }
    expect(bytes("kept", "checkpoint.safetensors")).toEqual(before);

    copyFileSync(join(folder, "kept", "checkpoint.safetensors"), join(folder, "cut.safetensors"));
    truncateSync(join(folder, "cut.safetensors"), 3000);
    const { code, stderr } = await adjoint(["--resume", "cut.safetensors"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^adjoint: "cut.safetensors": the tensors must take \d+ bytes, got \d+\. The file is cut off\.\n$/,
    );
  });

  test.each([
    ["start", "npm start -- --resume"],
    ["adjoint", "npm run adjoint -- train --resume"],
  ])("train tells how to go on in npm's script %s", async (script, hint) => {
    const { stdout } = await adjoint([...price, "--epochs", "1", "--out", `by-${script}`], { script });
    expect(stdout).toContain(`Train further: ${hint} by-${script} --epochs 5\n`);
  });

  test("train says in one sentence what is wrong with a table or an option", async () => {
    writeFileSync(join(folder, "same.csv"), "a,y\n1,5\n2,5\n3,5\n");
    writeFileSync(join(folder, "semicolons.csv"), "a;y\n1;2\n3;4\n");
    writeFileSync(join(folder, "gap.csv"), "a,y\n1,2\n,4\n5,6\n");
    const refusals = [
      [
        ["--csv", "same.csv", "--target", "y"],
        '--target must be a column with at least two different values, got "y", which is "5" in every row. Nothing can be learnt from it: choose another.',
      ],
      [
        ["--csv", "semicolons.csv", "--target", "y"],
        '--csv must be a file with commas between its cells, got one column, "a;y".',
      ],
      [
        ["--csv", "gap.csv", "--target", "y"],
        'column "a" must have a value in every row, got a missing cell on line 3. Fill it, leave the row out, or pass --missing mean.',
      ],
      [
        [...price, "--hidden", "1e9"],
        "--hidden must make a network of at most 500 000 000 parameters, got 8 000 000 001, from layers of 6, 1000000000, 1.",
      ],
      [[...price, "--out", ""], '--out must name a directory, got "". Write . for this one.'],
      [[...price, "--data", "mnist"], "--csv must not be given together with --data, got both."],
      [["--epoch", "3"], "unknown option '--epoch'. Did you mean --epochs?"],
      [["--epochs"], "option '--epochs <n>' argument missing."],
    ] as const;
    await Promise.all(
      refusals.map(async ([args, message]) => {
        const { code, json, stderr } = await adjoint(["--json", ...args]);
        expect([code, json, stderr]).toEqual([1, { failed: message }, `adjoint: ${message}\n`]);
      }),
    );
  });

  test("train stops at a loss that is no number, and nothing of an earlier run is lost", async () => {
    await adjoint([...price, "--epochs", "1", "--quiet", "--out", "diverge"]);
    const before = bytes("diverge", "checkpoint.safetensors");
    const { code, json, stderr } = await adjoint([
      ...[...price, "--optimizer", "sgd", "--learning-rate", "1e12", "--out", "diverge", "--json", "--quiet"],
    ]);
    const message =
      "loss must stay finite, got Infinity in epoch 1, batch 2. " +
      "Lower the learning rate (now 1000000000000), scale the inputs, or set --clip-norm.";
    expect([code, json, stderr]).toEqual([1, { failed: message }, `adjoint: ${message}\n`]);
    expect(bytes("diverge", "checkpoint.safetensors")).toEqual(before);
  });

  test.skipIf(process.platform !== "linux")(
    "train says that the disk is full, and keeps what was there",
    async () => {
      await adjoint([...price, "--epochs", "1", "--quiet", "--out", "full"]);
      const before = bytes("full", "checkpoint.safetensors");
      // The largest file allowed is 1 KiB (bash) or less: enough to begin, too little for a checkpoint.
      const { code, stderr } = await adjoint([...price, "--epochs", "1", "--quiet", "--out", "full"], {
        wrapped: (words) => ["/bin/sh", "-c", 'ulimit -f 1; exec "$@"', "sh", ...words],
      });
      expect(stderr).toBe(
        'adjoint: "full/checkpoint.safetensors" must be a file that can be written, got EFBIG: file too large. ' +
          "Free some space, or raise the limit on the size of a file. Nothing was overwritten.\n",
      );
      expect(code).toBe(1);
      expect(bytes("full", "checkpoint.safetensors")).toEqual(before);
      expect(readdirSync(out("full")).filter((name) => name.endsWith(".tmp"))).toEqual([]);
    },
  );

  test.skipIf(!existsSync("/dev/full"))("train says that standard output cannot be written", async () => {
    const { code, stderr } = await adjoint(
      [...price, "--epochs", "1", "--json", "--quiet", "--out", "devfull"],
      {
        stdout: openSync("/dev/full", "w"),
      },
    );
    expect([code, stderr]).toEqual([
      1,
      "adjoint: output cannot be written: ENOSPC: no space left on device, write.\n",
    ]);
  });

  test.each([
    [
      ["--csv", "nowhere.csv", "--target", "price"],
      '--csv must be a file that can be read, got "nowhere.csv", ENOENT: no such file or directory. Check the path.',
    ],
    [
      ["--csv", "houses.csv", "--target", "prize"],
      'column must be one of "size", "colour", "price", "kind", got "prize". Did you mean "price"?',
    ],
    [
      ["--data", "elsewhere"],
      '--data must be "mnist" or a directory of IDX files, got "elsewhere". Check the path.',
    ],
    [["--epochs", "many"], '--epochs must be a whole number ≥ 1, got "many".'],
    [
      [...price, "--out", "houses.csv/run"],
      '--out must be a directory that can be written to, got "houses.csv/run", ENOTDIR: not a directory.',
    ],
    [
      ["--resume", "nothing"],
      '--resume must name a run, a directory with checkpoint.safetensors, got "nothing". Check the path, or begin a new run without --resume.',
    ],
  ])("train %j is refused in one sentence", async (args, message) => {
    const { code, stdout, stderr } = await adjoint(args);
    expect([code, stdout, stderr]).toEqual([1, "", `adjoint: ${message}\n`]);
  });
});
