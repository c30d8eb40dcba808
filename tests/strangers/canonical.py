"""Says which rows of [[a JSON text, its canonical form], …] rfc8785 writes otherwise."""

import json
import sys

import rfc8785

wrong = []
for at, (text, canonical) in enumerate(json.load(sys.stdin.buffer)):
    if rfc8785.dumps(json.loads(text)) != canonical.encode():
        wrong.append(at)
json.dump(wrong, sys.stdout)
