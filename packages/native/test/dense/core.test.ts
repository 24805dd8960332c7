/** What holds core's products, convolutions and linear algebra, held once more with the machine's library. */

import { describe } from "vitest";
import { library, throughLibrary } from "./library.ts";

describe.skipIf(library === null)("with a library", async () => {
  throughLibrary(
    ...(["product", "cholesky", "lu", "triangular", "qr"] as const),
    ...(["symmetricEigen", "realEigen", "singularValues"] as const),
  );
  await import("../../../core/test/ops/products.test.ts");
  await import("../../../core/test/ops/einsum.test.ts");
  await import("../../../core/test/ops/convolution.test.ts");
  await import("../../../core/test/ops/linalg/solve.test.ts");
  await import("../../../core/test/ops/linalg/triangular.test.ts");
  await import("../../../core/test/ops/linalg/spectral.test.ts");
  await import("../../../core/test/ops/linalg/powers.test.ts");
});
