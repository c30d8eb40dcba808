// Makes a component of an agent: its file, the folder of interfaces, and where the component goes.
import { writeFile } from "node:fs/promises";
import { componentize } from "@bytecodealliance/componentize-js";
import { build } from "esbuild";

const [guest, witPath, out] = process.argv.slice(1);
const nodePaths = [`${process.cwd()}/node_modules`];
const options = { bundle: true, format: "esm", write: false, nodePaths, logLevel: "error" };
const bundled = await build({ ...options, entryPoints: [guest] });
const source = bundled.outputFiles[0].text;
const { component } = await componentize(source, { witPath, worldName: "agent" });
await writeFile(out, component);
