// Says which rows of [[hex bytes, digest], …] do not agree.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

const sha256 = (data) => createHash("sha256").update(Buffer.from(data, "hex")).digest("hex");
const rows = JSON.parse(readFileSync(0, "utf8"));
const wrong = rows.flatMap(([data, digest], at) => (digest === `sha256:${sha256(data)}` ? [] : at));
console.log(JSON.stringify(wrong));
