import { interpreted } from "../src/interpreted.ts";
import { wasm } from "../src/targets/wasm/target.ts";
import { holdOperations } from "./held/operations.ts";

holdOperations(interpreted);
holdOperations(wasm);
