import { holdCompile } from "../../compiler/test/held/compile.ts";
import { c } from "../src/target.ts";

holdCompile(c);
