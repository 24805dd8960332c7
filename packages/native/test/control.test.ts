import { holdControl } from "../../compiler/test/held/control.ts";
import { c } from "../src/target.ts";

holdControl(c);
