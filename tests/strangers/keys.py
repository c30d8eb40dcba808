"""Reads [PEM public key, …] and says of each: its key id, and how `cryptography` spells it."""

import hashlib
import json
import sys

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

answers = []
for pem in json.load(sys.stdin):
    key = load_pem_public_key(pem.encode())
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    spelled = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    answers.append([hashlib.sha256(spki).hexdigest(), spelled.decode()])
json.dump(answers, sys.stdout)
