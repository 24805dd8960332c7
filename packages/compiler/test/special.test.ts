import { interpreted } from "../src/interpreted.ts";
import { wasm } from "../src/targets/wasm/target.ts";
import { holdSpecial } from "./held/special.ts";

holdSpecial(interpreted);
holdSpecial(wasm);
