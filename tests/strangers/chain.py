"""Recomputes a chain of documents from its exported folder, {name: base64}, and nothing else."""

import base64
import copy
import hashlib
import json
import re
import sys

import rfc8785
from cryptography.hazmat.primitives.serialization import load_pem_public_key

HEADING = re.compile(r"#{1,6} .*\{#([^}]*)\}\s*\Z")
ANCESTORS = {
    "tos": [None],
    "base-terms": [None, "tos"],
    "schedule": [None, "tos", "base-terms", "schedule"],
    "msa": [None, "tos", "base-terms", "schedule"],
    "paper": ["msa"],
    "amendment": ["paper", "amendment", "side-letter"],
    "side-letter": ["paper", "amendment", "side-letter"],
}
HASHES = {
    "tos": "tosHash",
    "base-terms": "baseTermsHash",
    "schedule": "scheduleHash",
    "msa": "msaHash",
    "paper": "paperContentHash",
    "amendment": "amendmentHash",
    "side-letter": "sideLetterHash",
}


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def spelled(digest):
    return "sha256:" + digest.hex()


def root(leaves):
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256()
    left = 1
    while left * 2 < len(leaves):
        left *= 2
    return sha256(b"\x01", root(leaves[:left]), root(leaves[left:]))


def clauses(prose):
    found = []
    for line in prose.splitlines(keepends=True):
        heading = HEADING.fullmatch(line)
        if heading or not found:
            found.append([heading.group(1) if heading else "preamble", ""])
        found[-1][1] += line
    return found


def leaf(clause, text, salt):
    own = sha256(b"envelope clause salt v1\0", clause.encode(), b"\0", salt)
    return sha256(b"\0", own, clause.encode(), b"\0", text.encode())


def unescape(token):
    return token.replace("~1", "/").replace("~0", "~")


def patch(terms, changes):
    for change in changes:
        *above, name = change["path"][1:].split("/")
        parent = terms
        for token in above:
            parent = parent[unescape(token)]
        name = unescape(name)
        assert (name in parent) == (change["op"] != "add"), "presence"
        if "old" in change:
            old = spelled(sha256(rfc8785.dumps(parent.pop(name))))
            assert old == change["old"], "another value is replaced"
        if "value" in change:
            parent[name] = change["value"]


def decoded(text):
    """Base64 in its one spelling: Python itself reads others too."""
    read = base64.b64decode(text, validate=True)
    assert base64.b64encode(read).decode() == text, "base64"
    return read


def signed(envelope, keys):
    body, kind = decoded(envelope["payload"]), envelope["payloadType"]
    message = f"DSSEv1 {len(kind)} {kind} {len(body)} ".encode() + body
    for signature in envelope["signatures"]:
        keys[signature["keyid"]].verify(decoded(signature["sig"]), message)
    return json.loads(body), {it["keyid"] for it in envelope["signatures"]}


def check(files):
    pems = {name[5:-4]: pem for name, pem in files.items() if name.startswith("keys/")}
    keys = {kid: load_pem_public_key(pem) for kid, pem in pems.items()}
    head, kind, signers, terms, text, hashes, ids = None, None, None, None, None, {}, []
    for seq, name in enumerate(sorted(it for it in files if it.startswith("nodes/"))):
        node = json.loads(files[name])
        assert rfc8785.dumps(node) == files[name], "not canonical"
        assert node["parent"] == head and node["seq"] == seq, "not the next document"
        assert kind in ANCESTORS[node["kind"]], "out of order"
        kind, head = node["kind"], spelled(sha256(files[name]))
        label, body = f"{seq:04}-{kind}", node["body"]
        assert name == f"nodes/{label}.json", "misnamed"
        hashes[HASHES[kind]] = head
        ids.append((label, head[7:]))
        if kind == "side-letter":
            assert spelled(sha256(files[f"sealed/{label}.json"])) == node["prose"], "sealed"
        else:
            prose = files[f"prose/{label}.md"]
            salt = bytes.fromhex(files[f"prose/{label}.salt"].decode())
            assert spelled(sha256(salt, prose)) == node["prose"], "prose"
            leaves = [leaf(*clause, salt) for clause in clauses(prose.decode())]
            assert spelled(root(leaves)) == node["clauses"], "clauses"
        if kind == "paper":
            signers, terms = body["signers"], copy.deepcopy(body["terms"])
        if kind == "amendment":
            patch(terms, body["difference"])
            redline = files[f"redlines/{label}.txt"]
            assert spelled(sha256(text[1], salt, redline)) == body["redline"], "redline"
            lines = redline.decode().splitlines(keepends=True)
            before = "".join(line[1:] for line in lines if line[0] in " -")
            after = "".join(line[1:] for line in lines if line[0] in " +")
            assert (before, after) == (text[0].decode(), prose.decode()), "redline"
        if kind in ("paper", "amendment"):
            text = prose, salt
        if signers:
            statement, by = signed(json.loads(files[f"signatures/{label}.dsse.json"]), keys)
            [subject] = statement["subject"]
            assert subject == {"name": kind, "digest": {"sha256": head[7:]}}, "another document"
            assert by & set(signers["buyer"]) and by & set(signers["developer"]), "one-sided"
            signers = body.get("signers", signers)
    envelope = json.loads(files["snapshot.dsse.json"])
    statement, _ = signed(envelope, keys)
    named = [(it["name"], it["digest"]["sha256"]) for it in statement["subject"]]
    assert named == ids[: len(named)], "snapshot"
    hashes["paperSnapshotHash"] = spelled(sha256(decoded(envelope["payload"])))
    return {"head": head, "hashes": hashes, "terms": terms}


answers = []
for folder in json.load(sys.stdin):
    try:
        answers.append(check({name: base64.b64decode(it) for name, it in folder.items()}))
    except Exception as why:
        answers.append({"refused": f"{type(why).__name__}: {why}"})
json.dump(answers, sys.stdout)
