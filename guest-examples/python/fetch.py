"""Fetches pages, and asks a model, with `urllib` as Python has it.

What is Envelope's is one line, `import web`, and the two methods of `Skills`.
"""

import json
import urllib.request
from urllib.error import HTTPError, URLError

import web  # noqa: F401 - teaches `urllib` the way out
from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.skills import Failure_Failed

CARD = {
    "name": "fetch",
    "version": "0.1.0",
    "description": "Fetches pages with Python's own client",
    "needs": {"net": ["GET https://www.example.org/**"], "models": ["openai/gpt-4o-mini"]},
    "skills": [
        {
            "name": "fetch",
            "description": "Fetches pages one after the other, and tells what came of each",
            "input": {
                "type": "object",
                "properties": {"urls": {"type": "array", "items": {"type": "string"}}},
                "required": ["urls"],
            },
            "output": {"type": "array", "items": {"type": "object"}},
        },
        {
            "name": "ask",
            "description": "Asks a model in the format that it is known for",
            "input": {
                "type": "object",
                "properties": {"model": {"type": "string"}, "question": {"type": "string"}},
                "required": ["model", "question"],
            },
            "output": {"type": "string"},
        },
    ],
}


class Skills(exports.Skills):
    def describe(self):
        return json.dumps(CARD)

    def invoke(self, skill, args):
        args = json.loads(args)
        if skill == "fetch":
            return json.dumps([fetch(url) for url in args["urls"]])
        try:
            return json.dumps(ask(**args))
        except HTTPError as error:
            raise Err(Failure_Failed(error.read().decode())) from error


def fetch(url):
    try:
        with urllib.request.urlopen(url) as page:
            return {"status": page.status, "bytes": len(page.read())}
    except HTTPError as error:
        return {"status": error.code, "denied": error.headers.get("envelope-denied")}
    except URLError as error:
        return {"failed": str(error.reason)}


def ask(model, question):
    body = {"model": model, "messages": [{"role": "user", "content": question}]}
    request = urllib.request.Request(
        "http://model.envelope/v1/chat/completions",
        data=json.dumps(body).encode(),
        headers={"content-type": "application/json", "authorization": "Bearer any"},
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["choices"][0]["message"]["content"]
