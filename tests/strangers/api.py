"""Schemathesis asks a server for all that its document says: `api.py URL [KEY]`.

What it may ask is bounded, and the same each time, by schemathesis.toml beside this file. KEY is
shown with every request, but for those that try what happens without."""

import pathlib
import sys

import schemathesis
from hypothesis import strategies
from schemathesis.cli import schemathesis as program

url, *key = sys.argv[1:]

# No JSON Schema says what a component is: a few bytes that are none, after the start of one.
schemathesis.openapi.media_type(
    "application/wasm", strategies.binary(max_size=64).map(b"\0asm\x0d\0\1\0".__add__)
)

config = pathlib.Path(__file__).with_name("schemathesis.toml")
arguments = ["--config-file", str(config), "run", f"{url}/api/v1/openapi.json"]
for shown in key:
    arguments += ["--header", f"Authorization: Bearer {shown}"]
program(arguments)
