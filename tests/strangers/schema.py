"""Says which of the edited documents the schema accepts: {"jsonschema": [true, …]}."""

import copy
import json
import sys

from jsonschema import Draft202012Validator

asked = json.load(sys.stdin)
Draft202012Validator.check_schema(asked["schema"])
validator = Draft202012Validator(asked["schema"])


def accepts(path, value):
    document = {"root": copy.deepcopy(asked["base"])}
    place, token = document, "root"
    for inner in path:
        place = place[token]
        token = int(inner) if isinstance(place, list) else inner
    place[token] = value
    return validator.is_valid(document["root"])


json.dump({"jsonschema": [accepts(*edit) for edit in asked["edits"]]}, sys.stdout)
