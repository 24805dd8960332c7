import { interpret } from "@adjoint/compiler";
import { wasm } from "../src/targets/wasm/target.ts";
import { holdCompile } from "./held/compile.ts";

holdCompile(interpret);
holdCompile(wasm);
