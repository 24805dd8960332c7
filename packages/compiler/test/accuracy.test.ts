import { wasm } from "../src/targets/wasm/target.ts";
import { holdAccuracy } from "./held/accuracy.ts";

holdAccuracy(wasm);
