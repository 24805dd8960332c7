import { holdSpecial } from "../../compiler/test/held/special.ts";
import { c } from "../src/target.ts";

holdSpecial(c);
