"""Says of each envelope of {"keys": {id: PEM}, "files": [text, …]} whether securesystemslib accepts
it: every signature in it has to hold."""

import json
import sys

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

asked = json.load(sys.stdin)
keys = []
for keyid, pem in asked["keys"].items():
    keys.append(SSlibKey.from_crypto(load_pem_public_key(pem.encode()), keyid))


def accepted(text):
    envelope = Envelope.from_dict(json.loads(text))
    try:
        return len(envelope.verify(keys, len(envelope.signatures))) == len(envelope.signatures)
    except VerificationError:
        return False


json.dump([accepted(text) for text in asked["files"]], sys.stdout)
