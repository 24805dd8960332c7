import { interpret } from "@adjoint/compiler";
import { wasm } from "../src/targets/wasm/target.ts";
import { holdTraining } from "./held/training.ts";

holdTraining(interpret, "all");
holdTraining(wasm, 4);
