/** The laws of the operations that a library has a part in. */

import * as core from "@adjoint/core";
import { checkLaws, type LawfulOperation } from "@adjoint/gradcheck";
import { describe, expect, test } from "vitest";
import { library, throughLibrary } from "./library.ts";

const operations = [
  ...[core.matmul, core.einsum, core.dot, core.inner],
  ...[core.conv1d, core.conv2d, core.conv3d],
  ...[core.convTranspose1d, core.convTranspose2d, core.convTranspose3d],
  ...[core.solve, core.triangularSolve, core.inverse, core.lu, core.cholesky, core.qr],
  ...[core.det, core.slogdet, core.eigh, core.eig, core.svd, core.pinv, core.lstsq],
  ...[core.expm, core.matrixPower, core.matrixNorm, core.conditionNumber],
] as unknown as LawfulOperation[];

describe.skipIf(library === null)("with a library", () => {
  throughLibrary(
    ...(["product", "cholesky", "lu", "triangular", "qr"] as const),
    ...(["symmetricEigen", "realEigen", "singularValues"] as const),
  );

  test.each(operations.map((f) => ({ name: f.definition.name, f })))("$name obeys the laws", ({ f }) => {
    expect(checkLaws(f).map(({ law, message }) => `${law}: ${message}`)).toEqual([]);
  });
});
