import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { value } from "@adjoint/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FileError, loadSafetensors, saveSafetensors, writeFileSafely } from "../src/node.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "adjoint-files-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const root = process.getuid?.() === 0;

describe("saveSafetensors", () => {
  test("saveSafetensors writes what loadSafetensors reads, and makes the folders on the way", async () => {
    const path = join(folder, "a", "b", "model.safetensors");
    await saveSafetensors(path, { weight: value([[1, 2]]) }, { note: "x" });
    const { tensors, metadata } = await loadSafetensors(path);
    expect(tensors["weight"]?.toArray()).toEqual([[1, 2]]);
    expect(metadata).toEqual({ note: "x" });
    expect(readdirSync(join(folder, "a", "b"))).toEqual(["model.safetensors"]);
  });

  test.skipIf(!existsSync("/dev/full"))("saveSafetensors says that a disk is full", async () => {
    await expect(saveSafetensors("/dev/full", { weight: value([1]) })).rejects.toThrow(
      'saveSafetensors: "/dev/full" must be a file that can be written, got ENOSPC: no space left on device. ' +
        "Free some space. Nothing was overwritten.",
    );
    expect(existsSync("/dev/full")).toBe(true);
  });

  test.skipIf(process.platform === "win32" || root)(
    "saveSafetensors leaves the file as it was where the folder cannot be written to",
    async () => {
      const path = join(folder, "model.safetensors");
      await saveSafetensors(path, { weight: value([1]) });
      chmodSync(folder, 0o500);
      const saving = saveSafetensors(path, { weight: value([2]) });
      await expect(saving).rejects.toThrow(
        "EACCES: permission denied. Choose a place that you may write to.",
      );
      expect((await loadSafetensors(path)).tensors["weight"]?.toArray()).toEqual([1]);
      chmodSync(folder, 0o700);
    },
  );

  test("saveSafetensors says that a part of the path is a file", async () => {
    writeFileSync(join(folder, "file"), "");
    const path = join(folder, "file", "model.safetensors");
    await expect(saveSafetensors(path, {})).rejects.toThrow("A part of the path is a file: choose another.");
  });
});

describe("writeFileSafely", () => {
  test.skipIf(process.platform !== "linux")(
    "writeFileSafely ends where a folder cannot be made",
    async () => {
      await expect(writeFileSafely("/proc/adjoint/a/b", "text")).rejects.toThrow(
        'writeFileSafely: "/proc/adjoint/a/b" must be a file that can be written, got ENOENT: no such file or directory. ' +
          "Check the path. Nothing was overwritten.",
      );
    },
  );

  test("writeFileSafely replaces a file and leaves nothing beside it", async () => {
    const path = join(folder, "text");
    await writeFileSafely(path, "one");
    await writeFileSafely(path, "two");
    expect(readFileSync(path, "utf8")).toBe("two");
    expect(readdirSync(folder)).toEqual(["text"]);
  });

  test("writeFileSafely removes what it began where the path is a directory", async () => {
    await expect(writeFileSafely(folder, "text")).rejects.toThrow(FileError);
    expect(readdirSync(folder)).toEqual([]);
  });

  test.skipIf(process.platform === "win32")("writeFileSafely writes through a link", async () => {
    writeFileSync(join(folder, "real"), "old");
    symlinkSync(join(folder, "real"), join(folder, "link"));
    await writeFileSafely(join(folder, "link"), "new");
    expect(readFileSync(join(folder, "real"), "utf8")).toBe("new");
  });
});

describe("loadSafetensors", () => {
  test("loadSafetensors names a file that is not there", async () => {
    const path = join(folder, "none");
    await expect(loadSafetensors(path)).rejects.toThrow(
      `loadSafetensors: ${JSON.stringify(path)} must be a file that can be read, ` +
        "got ENOENT: no such file or directory. Check the path.",
    );
  });

  test("loadSafetensors names a file that is no safetensors file", async () => {
    const path = join(folder, "text");
    writeFileSync(path, "hello");
    await expect(loadSafetensors(path)).rejects.toThrow(
      `loadSafetensors: ${JSON.stringify(path)}: ` +
        "a safetensors file must begin with a header length of 8 bytes, got 5 bytes. The file is damaged.",
    );
  });
});
