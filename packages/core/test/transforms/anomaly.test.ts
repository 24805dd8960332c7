import { AnomalyError, detectAnomaly, parameter, value } from "@adjoint/core";
import { expect, test } from "vitest";

function messageOf(f: () => unknown): string {
  try {
    detectAnomaly(f);
  } catch (error) {
    expect(error).toBeInstanceOf(AnomalyError);
    return (error as Error).message;
  }
  throw new Error("nothing was found");
}

test("detectAnomaly names the first operation, its operands and the caller's line, forward", () => {
  const x = parameter([1, 0], { label: "x" });
  const message = messageOf(() => x.mul(2).log().sum());
  expect(message).toMatch(
    /^log: a finite result of finite operands, got -Infinity at \[1\] from log\(mul \[2\]\), called at .*anomaly\.test\.ts:\d+:\d+\.$/,
  );
});

test("detectAnomaly names the operation whose gradient went wrong, and where it was called", () => {
  const x = parameter(0, { label: "x" });
  const message = messageOf(() => {
    const y = x.sqrt();
    y.label = "root";
    y.backward();
  });
  expect(message).toMatch(
    /^gradient of sqrt: a finite result of finite operands, got Infinity from div\(constant 0\.5, "root" 0\) for sqrt\("x" 0\), labelled "root", called at .*anomaly\.test\.ts:\d+:\d+\.$/,
  );
});

test("detectAnomaly watches scalars too, passes finite work on and ends with the function", () => {
  expect(messageOf(() => value(1).div(0))).toMatch(/^div: .*got Infinity from div\(constant 1, constant 0\)/);
  expect(detectAnomaly(() => value(3).mul(2).item())).toBe(6);
  expect(value(1).div(0).item()).toBe(Infinity);
});

test("detectAnomaly lets infinities that were given pass", () => {
  expect(detectAnomaly(() => value(Infinity).mul(2).item())).toBe(Infinity);
});
