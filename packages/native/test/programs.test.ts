import { holdPrograms } from "../../compiler/test/held/programs.ts";
import { c } from "../src/target.ts";

holdPrograms(c, [40, 20]);
