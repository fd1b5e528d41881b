// The command line as a process of its own, straight from its sources.
import { main } from "../src/main.ts";

await main(process.argv);
