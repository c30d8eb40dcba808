// Says which rows of [[a JSON text, its canonical form], …] either package writes otherwise.

import { readFileSync } from "node:fs";
import canonicalize from "canonicalize";
import stringify from "fast-json-stable-stringify";

const rows = JSON.parse(readFileSync(0, "utf8"));
const agrees = ([text, canonical]) =>
  [canonicalize, stringify].every((write) => write(JSON.parse(text)) === canonical);
console.log(JSON.stringify(rows.flatMap((row, at) => (agrees(row) ? [] : at))));
