"""PyJWT opens {"open": [[token, key, algorithm, audience], …]}: the header and the claims, or why
not. It signs {"sign": [[claims, key, algorithm, kid], …]}: under the header of grants, under the
same in another order, and under PyJWT's own."""

import json
import sys

import jwt


def opened(token, key, algorithm, audience):
    try:
        options = {"require": ["aud", "exp", "iat", "jti"]}
        key = jwt.PyJWK(key)
        claims = jwt.decode(token, key, [algorithm], options, audience=audience)
        return [jwt.get_unverified_header(token), claims]
    except jwt.InvalidTokenError as refused:
        return type(refused).__name__


def signed(claims, key, algorithm, kid):
    key = jwt.PyJWK(key)
    header = {"kid": kid, "typ": "grant+jwt"}
    return [
        jwt.encode(claims, key, algorithm, header),
        jwt.encode(claims, key, algorithm, header, sort_headers=False),
        jwt.encode(claims, key, algorithm),
    ]


asked = json.load(sys.stdin)
answers = {
    "open": [opened(*row) for row in asked["open"]],
    "sign": [signed(*row) for row in asked["sign"]],
}
json.dump(answers, sys.stdout)
