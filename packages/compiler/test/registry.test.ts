import { compile, type TargetName } from "@adjoint/compiler";
import { registerTarget } from "@adjoint/compiler/targets";
import { ArgumentError, type Value } from "@adjoint/core";
import { describe, expect, test } from "vitest";
import { wasm } from "../src/targets/wasm/target.ts";

const messageOf = (f: () => unknown): string => {
  try {
    f();
  } catch (error) {
    expect(error).toBeInstanceOf(ArgumentError);
    return (error as Error).message;
  }
  return "no error";
};

describe("compile finds targets by name", () => {
  test("a name that no package has is an error that lists those there are", () => {
    expect(messageOf(() => compile(() => 0, { target: "cuda" as TargetName }))).toBe(
      'compile: target must be one of auto, c, interpret, wasm, got "cuda".',
    );
  });

  test("a name of a package that was not imported is an error that names the package", () => {
    expect(messageOf(() => compile(() => 0, { target: "c" }))).toBe(
      'compile: target "c" must be known, got none of that name. Import @adjoint/native first, which has it.',
    );
  });

  test("a target that a package registers is found from then on", () => {
    let prepared = 0;
    registerTarget({
      name: "auto",
      prepare: (program) => {
        prepared++;
        return wasm.prepare(program);
      },
    });
    expect(compile((x) => x.mul(2), { target: "auto" })(3).item()).toBe(6);
    expect(prepared).toBe(1);
  });
});

test("options that there are not are refused", () => {
  expect(() => compile((x: Value) => x, { thread: 2 } as never)).toThrow(
    "compile: options must be among target, threads, reuseResults, got thread. Did you mean threads?",
  );
});
