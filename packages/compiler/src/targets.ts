/** What a target is made with: plans of programs, kernels, functions of lanes, and where targets are known by name. */

export { drive, type Machine } from "./graph/drive.ts";
export { planOf } from "./graph/plan.ts";
export { printSteps } from "./graph/print.ts";
export {
  allSteps,
  type Evaluation,
  type Operand,
  type Passes,
  type Plan,
  type Product,
  type Scan,
  type Step,
} from "./graph/steps.ts";
export { interpretKernel } from "./kernels/interpret.ts";
export {
  type Affine,
  type Buffer,
  type CalledFunction,
  type Counter,
  type Fold,
  type Kernel,
  neutral,
  type Operator,
  type Place,
  type Register,
  type Statement,
} from "./kernels/language.ts";
export { laneFunctions } from "./math/functions.ts";
export type { LaneFunction, Lanes } from "./math/lanes.ts";
export { arenaOf, bytesOf, type Lifetime } from "./memory/arena.ts";
export type { Executable, PrepareOptions, Program, Storage, Target } from "./program.ts";
export { registerTarget } from "./registry.ts";
export { ARRAYS, readStorage, writeStorage } from "./storage.ts";
export { wasm } from "./targets/wasm/target.ts";
export { machineThreads } from "./targets/wasm/workers.ts";
