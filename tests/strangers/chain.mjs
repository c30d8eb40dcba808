// Recomputes a chain of documents from its exported folder, {name: base64}, and nothing else.

import { createHash, createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import stringify from "fast-json-stable-stringify";

const ANCESTORS = {
  tos: [null],
  "base-terms": [null, "tos"],
  schedule: [null, "tos", "base-terms", "schedule"],
  msa: [null, "tos", "base-terms", "schedule"],
  paper: ["msa"],
  amendment: ["paper", "amendment", "side-letter"],
  "side-letter": ["paper", "amendment", "side-letter"],
};
const HASHES = {
  tos: "tosHash",
  "base-terms": "baseTermsHash",
  schedule: "scheduleHash",
  msa: "msaHash",
  paper: "paperContentHash",
  amendment: "amendmentHash",
  "side-letter": "sideLetterHash",
};

const sha256 = (...parts) =>
  parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest();
const spelled = (digest) => `sha256:${digest.toString("hex")}`;
const must = (holds, what) => {
  if (!holds) throw new Error(what);
};

function root(leaves) {
  if (leaves.length < 2) return leaves[0] ?? sha256();
  let left = 1;
  while (left * 2 < leaves.length) left *= 2;
  return sha256(Buffer.of(1), root(leaves.slice(0, left)), root(leaves.slice(left)));
}

const linesOf = (text) => text.match(/[^\n]*\n/g) ?? [];

function clauses(prose) {
  const found = [];
  for (const line of linesOf(prose)) {
    const id = /^#{1,6} .*\{#([^}]*)\}\s*$/.exec(line)?.[1];
    if (id !== undefined || found.length === 0) found.push([id ?? "preamble", ""]);
    found.at(-1)[1] += line;
  }
  return found;
}

function leaf([clause, text], salt) {
  const own = sha256("envelope clause salt v1\0", clause, "\0", salt);
  return sha256(Buffer.of(0), own, clause, "\0", text);
}

function patch(terms, changes) {
  for (const { op, path, old, value } of changes) {
    const unescape = (token) => token.replaceAll("~1", "/").replaceAll("~0", "~");
    const tokens = path.slice(1).split("/").map(unescape);
    const name = tokens.pop();
    const parent = tokens.reduce((at, token) => at[token], terms);
    must(Object.hasOwn(parent, name) === (op !== "add"), "presence");
    if (old) must(spelled(sha256(stringify(parent[name]))) === old, "another value is replaced");
    delete parent[name];
    if (value !== undefined) parent[name] = value;
  }
}

/** Base64 in its one spelling: Node itself reads others too. */
function decoded(text) {
  const bytes = Buffer.from(text, "base64");
  must(bytes.toString("base64") === text, "base64");
  return bytes;
}

function signed(envelope, keys) {
  const payload = decoded(envelope.payload);
  const type = envelope.payloadType;
  const head = `DSSEv1 ${type.length} ${type} ${payload.length} `;
  const message = Buffer.concat([Buffer.from(head), payload]);
  for (const { keyid, sig } of envelope.signatures) {
    must(verify(null, message, keys[keyid], decoded(sig)), "signature");
  }
  return [JSON.parse(payload), envelope.signatures.map(({ keyid }) => keyid)];
}

function check(files) {
  const names = Object.keys(files).sort();
  const json = (name) => JSON.parse(files[name].toString());
  const keys = {};
  for (const name of names.filter((name) => name.startsWith("keys/"))) {
    keys[name.slice(5, -4)] = createPublicKey(files[name]);
  }
  let [head, kind, signers, terms, text] = [null, null, null, null, null];
  const [hashes, ids] = [{}, []];
  for (const [seq, name] of names.filter((name) => name.startsWith("nodes/")).entries()) {
    const node = json(name);
    must(stringify(node) === files[name].toString(), "not canonical");
    must(node.parent === head && node.seq === seq, "not the next document");
    must(ANCESTORS[node.kind]?.includes(kind), "out of order");
    [kind, head] = [node.kind, spelled(sha256(files[name]))];
    const [label, body] = [`${String(seq).padStart(4, "0")}-${kind}`, node.body];
    must(name === `nodes/${label}.json`, "misnamed");
    hashes[HASHES[kind]] = head;
    ids.push([label, head.slice(7)]);
    let [prose, salt] = [null, null];
    if (kind === "side-letter") {
      must(spelled(sha256(files[`sealed/${label}.json`])) === node.prose, "sealed");
    } else {
      prose = files[`prose/${label}.md`].toString();
      salt = Buffer.from(files[`prose/${label}.salt`].toString().trim(), "hex");
      must(spelled(sha256(salt, prose)) === node.prose, "prose");
      const leaves = clauses(prose).map((clause) => leaf(clause, salt));
      must(spelled(root(leaves)) === node.clauses, "clauses");
    }
    if (kind === "paper") [signers, terms] = [body.signers, structuredClone(body.terms)];
    if (kind === "amendment") {
      patch(terms, body.difference);
      const redline = files[`redlines/${label}.txt`].toString();
      must(spelled(sha256(text[1], salt, redline)) === body.redline, "redline");
      const side = (marks) => {
        const kept = linesOf(redline).filter((line) => marks.includes(line[0]));
        return kept.map((line) => line.slice(1)).join("");
      };
      must(side(" -") === text[0] && side(" +") === prose, "redline");
    }
    if (prose !== null && signers) text = [prose, salt];
    if (signers) {
      const [statement, by] = signed(json(`signatures/${label}.dsse.json`), keys);
      const subject = [{ digest: { sha256: head.slice(7) }, name: kind }];
      must(stringify(statement.subject) === stringify(subject), "another document");
      must(by.some((kid) => signers.buyer.includes(kid)), "one-sided");
      must(by.some((kid) => signers.developer.includes(kid)), "one-sided");
      signers = body.signers ?? signers;
    }
  }
  const envelope = json("snapshot.dsse.json");
  const [statement] = signed(envelope, keys);
  const named = statement.subject.map(({ name, digest }) => [name, digest.sha256]);
  must(stringify(named) === stringify(ids.slice(0, named.length)), "snapshot");
  hashes.paperSnapshotHash = spelled(sha256(decoded(envelope.payload)));
  return { head, hashes, terms };
}

const answers = JSON.parse(readFileSync(0, "utf8")).map((folder) => {
  const decode = ([name, text]) => [name, Buffer.from(text, "base64")];
  try {
    return check(Object.fromEntries(Object.entries(folder).map(decode)));
  } catch (why) {
    return { refused: String(why) };
  }
});
console.log(JSON.stringify(answers));
