"""Loads a contract's exports into the engines they are written for and asks each about calls.

Reads {"folder", "opa", "calls": [{"agent", "action", "snapshot", "context"}], "some", "few",
"cuts"} and prints for each engine which calls it allows: of all, of `some` where it takes its time,
of a `few` where it starts a program for each. Where `cuts` is not zero it also prints what they
make of exports and calls that are broken; `cuts` is the distance of two cuts.
"""

import asyncio
import copy
import json
import logging
import os
import pathlib
import sys

import cedarpy
from agent_control_specification import AgentControl, validate_acs_manifest
from agentmesh.governance import GovernanceDenied, PolicyEngine, govern

FAST = ("cedar", "agt yaml")

logging.disable(logging.CRITICAL)
given = json.load(sys.stdin)
folder = pathlib.Path(given["folder"])
calls = given["calls"]


def read(path):
    return (folder / path).read_text()


def cedar(policies, calls):
    """Cedar itself."""
    requests = [
        {
            "principal": {"type": "Agent", "id": call["agent"]},
            "action": {"type": "Action", "id": call["action"]},
            "resource": {"type": "Resource", "id": "default"},
            "context": call["context"],
        }
        for call in calls
    ]
    answers = cedarpy.is_authorized_batch(requests, cedarpy.PolicySet.from_str(policies), [])
    return [answer.allowed for answer in answers]


def agt_cedar(policies, calls):
    """Cedar as the toolkit calls it."""
    engine = PolicyEngine()
    engine.load_cedar(cedar_content=policies, mode="cedarpy")
    contexts = [{**call["context"], "agent_did": call["agent"]} for call in calls]
    return [engine.evaluate(context["agent_did"], context).allowed for context in contexts]


def agt_yaml(policy, calls):
    """The toolkit's wrapper."""
    wrappers = {}
    answers = []
    for call in calls:
        agent = call["agent"]
        if agent not in wrappers:
            wrappers[agent] = govern(lambda **_: True, policy=policy, agent_id=agent, audit=False)
        try:
            answers.append(wrappers[agent](**copy.deepcopy(call["context"])))
        except GovernanceDenied:
            answers.append(False)
    return answers


def acs(manifest, calls, point="pre_tool_call"):
    """The specification's own engine, which starts `opa` for each call."""
    control = AgentControl.from_path(str(manifest))

    async def ask():
        for call in calls:
            answer = await control.evaluate_intervention_point(point, call["snapshot"])
            yield [answer.verdict.decision.value, answer.verdict.reason]

    async def all_of():
        return [answer async for answer in ask()]

    return asyncio.run(all_of())


def asked(engine, text, calls):
    """The answers, or that the engine refused to load the text."""
    try:
        return engine(text, calls)
    except Exception:
        return None


def cut(engine, text, calls):
    """Cuts the text everywhere: how many cuts load, and which of them allow any of the calls."""
    loaded, wrong = 0, []
    for length in range(0, len(text.rstrip()), given["cuts"]):
        answers = asked(engine, text[:length], calls)
        loaded += answers is not None
        if any(answers or []):
            wrong.append(length)
    return {"loaded": loaded, "wrong": wrong}


def broken(engine, text, call):
    """Spoils each part of an allowed call, and says what is still allowed."""
    wrong = []
    for part, values in call["context"].items():
        for name in values:
            for value in (..., None, -1, 10**400, "", "x", [], {}, [values[name]]):
                spoiled = copy.deepcopy(call)
                if value is ...:
                    del spoiled["context"][part][name]
                else:
                    spoiled["context"][part][name] = value
                if name not in UNUSED[engine] and any(asked(engine, text, [spoiled]) or []):
                    wrong.append([part, name, repr(value)[:20]])
    return wrong


# What does not matter to the call that is spoiled: Cedar has the action in its request, and the
# name above a host that is listed itself is not looked at.
UNUSED = {cedar: ["type", "above"], agt_cedar: ["type", "above"], agt_yaml: ["above"]}

os.environ["ACS_OPA_PATH"] = given["opa"]
texts = {
    "cedar": (cedar, read("cedar/paper.cedar")),
    "agt cedar": (agt_cedar, read("cedar/paper.cedar")),
    "agt yaml": (agt_yaml, read("agt-yaml/paper.yaml")),
}
schema = cedarpy.validate_policies(read("cedar/paper.cedar"), read("cedar/paper.cedarschema"))
said = {
    "allowed": {
        name: engine(text, calls if name in FAST else calls[: given["some"]])
        for name, (engine, text) in texts.items()
    },
    "schema": [str(error) for error in schema.errors] or schema.validation_passed,
}
if given["cuts"]:
    allowed = said["allowed"]["cedar"].index(True)
    denied = [call for call, allow in zip(calls, said["allowed"]["cedar"]) if not allow][:20]
    said["cut"] = {
        name: cut(*texts[name], denied) for name in ("cedar", "agt yaml")
    }
    said["broken"] = {
        name: broken(*texts[name], calls[allowed]) for name in ("cedar", "agt cedar", "agt yaml")
    }
    manifest = folder / "acs" / "manifest.json"
    module = folder / "acs" / "policy" / "paper.rego"
    points = json.loads(manifest.read_text())["intervention_points"]
    said["acs"] = {
        "flaws": [str(flaw) for flaw in validate_acs_manifest(manifest.read_text()).diagnostics],
        "answers": acs(manifest, calls[: given["few"]]),
        "points": {point: acs(manifest, [calls[allowed]], point)[0] for point in points},
    }
    module.write_text(module.read_text()[:-9])
    said["acs"]["cut"] = acs(manifest, [calls[allowed]])[0]
    os.environ["ACS_OPA_PATH"] = str(folder / "nothing")
    said["acs"]["no opa"] = acs(manifest, [calls[allowed]])[0]
json.dump(said, sys.stdout)
