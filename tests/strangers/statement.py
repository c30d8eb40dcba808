"""Says of each payload of {"files": [text, …]} whether it is a Statement to in-toto-attestation."""

import json
import sys

from google.protobuf.json_format import Parse, ParseError
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement


def accepted(text):
    try:
        Statement.copy_from_pb(Parse(text, statement_pb2.Statement())).validate()
        return True
    except (ParseError, ValueError):
        return False


json.dump([accepted(text) for text in json.load(sys.stdin)["files"]], sys.stdout)
