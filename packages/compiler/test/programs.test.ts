import { interpreted } from "../src/interpreted.ts";
import { wasm } from "../src/targets/wasm/target.ts";
import { holdPrograms } from "./held/programs.ts";

holdPrograms(interpreted, [130, 70]);
holdPrograms(wasm, [130, 70]);
