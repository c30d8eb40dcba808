"""Says which rows of [[hex bytes, digest], …] do not agree."""

import hashlib
import json
import sys

rows = json.load(sys.stdin)
wrong = []
for at, (data, digest) in enumerate(rows):
    if digest != "sha256:" + hashlib.sha256(bytes.fromhex(data)).hexdigest():
        wrong.append(at)
json.dump(wrong, sys.stdout)
