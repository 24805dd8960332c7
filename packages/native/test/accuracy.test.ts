import { holdAccuracy } from "../../compiler/test/held/accuracy.ts";
import { c } from "../src/target.ts";

holdAccuracy(c);
