import { interpreted } from "../src/interpreted.ts";
import { wasm } from "../src/targets/wasm/target.ts";
import { holdControl } from "./held/control.ts";

holdControl(interpreted);
holdControl(wasm);
