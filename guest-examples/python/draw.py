"""Draws words by chance from the documents of a folder.

Plain Python: `open`, `os.walk`, `json`, `random`, `time` and a set. What is Envelope's are the two
methods of `Skills`, and the prefix that outputs go to.
"""

import json
import os
import random
import time

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.skills import Failure_Failed
from wit_world.imports import run

CARD = {
    "name": "draw",
    "version": "0.1.0",
    "description": "Words drawn by chance from documents",
    "skills": [
        {
            "name": "draw",
            "description": "Draws words from the documents in a folder",
            "input": {
                "type": "object",
                "properties": {
                    "folder": {"type": "string"},
                    "count": {"type": "integer", "minimum": 1, "maximum": 100},
                },
                "required": ["folder", "count"],
            },
            "output": {
                "type": "object",
                "properties": {
                    "words": {"type": "array", "items": {"type": "string"}},
                    "documents": {"type": "integer"},
                    "list": {"type": "string"},
                },
                "required": ["words", "documents", "list"],
            },
        }
    ],
}


class Skills(exports.Skills):
    def describe(self):
        return json.dumps(CARD)

    def invoke(self, skill, args):
        try:
            return json.dumps(draw(**json.loads(args)))
        except OSError as error:
            failure = {"error": type(error).__name__, "path": error.filename}
            raise Err(Failure_Failed(json.dumps(failure))) from error


def draw(folder, count):
    begun = time.monotonic()
    texts = [read(path) for path in documents(folder)]
    found = {word for text in texts for word in text.split()}
    words = random.sample(list(found), min(count, len(found)))
    path = os.path.join("/", run.about().outputs or "", "words.json")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    page = {
        "words": words,
        "mean_length": sum(map(len, words)) / max(len(words), 1),
        "at": time.time(),
        "seconds": time.monotonic() - begun,
    }
    with open(path, "w", encoding="utf-8") as file:
        json.dump(page, file, indent=2)
    return {"words": words, "documents": len(texts), "list": path}


def documents(folder):
    """Every text in `folder` and below. A folder that may not be listed is an error, not empty."""

    def give_up(error):
        raise error

    for at, folders, names in os.walk(os.path.join("/", folder), onerror=give_up):
        folders.sort()
        texts = sorted(name for name in names if name.endswith((".md", ".txt")))
        yield from (os.path.join(at, name) for name in texts)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()
