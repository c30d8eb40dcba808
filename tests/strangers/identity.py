"""What PyJWT makes of what the house signs, with the keys that it serves:
{"tokens": [[token, JWKS], …], "envelopes": [[DSSE envelope, JWKS], …]}."""

import base64
import json
import sys

import jwt


def opened(token, keys):
    kid = jwt.get_unverified_header(token)["kid"]
    try:
        return jwt.decode(token, jwt.PyJWKSet.from_dict(keys)[kid], ["EdDSA"])
    except (jwt.InvalidTokenError, KeyError) as refused:
        return type(refused).__name__


def unsealed(envelope, keys):
    body, kind = base64.b64decode(envelope["payload"]), envelope["payloadType"]
    message = f"DSSEv1 {len(kind)} {kind} {len(body)} ".encode() + body
    [signature] = envelope["signatures"]
    try:
        key = jwt.PyJWKSet.from_dict(keys)[signature["keyid"]]
    except KeyError:
        return "KeyError"
    sig = base64.b64decode(signature["sig"])
    return json.loads(body) if key.Algorithm.verify(message, key.key, sig) else "Refused"


asked = json.load(sys.stdin)
answers = {
    "tokens": [opened(*row) for row in asked["tokens"]],
    "envelopes": [unsealed(*row) for row in asked["envelopes"]],
}
json.dump(answers, sys.stdout)
