/** The public surface of @adjoint/gradcheck. */

export type { Cause } from "./cause.ts";
export type { ComparisonOptions } from "./comparison.ts";
export { assertGradients, type GradcheckOptions, gradcheck } from "./gradcheck.ts";
export { checkLaws, type Law, type LawfulOperation, type LawOptions, type Violation } from "./laws.ts";
export { derivative, type NumericDerivative, numericGradient, numericJvp } from "./numeric.ts";
export { gradcheckParameters, type ParametersOptions } from "./parameters.ts";
export { type Discrepancy, type GradcheckReport, GradientError } from "./report.ts";
