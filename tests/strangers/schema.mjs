// Says which of the edited documents are accepted: {"ajv": [true, …], "zod": [true, …]}.

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import Ajv from "ajv/dist/2020.js";

const { schema, zod, base, edits } = JSON.parse(readFileSync(0, "utf8"));

const text = JSON.stringify(base);
const accepted = (accepts) =>
  edits.map(([path, value]) => {
    const document = { root: JSON.parse(text) };
    const tokens = ["root", ...path];
    const last = tokens.pop();
    const place = tokens.reduce((place, token) => place[token], document);
    place[last] = value;
    return accepts(document.root);
  });

// The module imports Zod, which is found from this folder.
const load = async (text) => {
  const file = `generated-${process.pid}.mjs`;
  writeFileSync(file, text);
  try {
    return (await import(pathToFileURL(file))).default;
  } finally {
    rmSync(file);
  }
};

const answer = { ajv: accepted(new Ajv({ strictTypes: false }).compile(schema)) };
if (zod !== null) {
  const module = await load(zod);
  answer.zod = accepted((document) => module.safeParse(document).success);
}
console.log(JSON.stringify(answer));
