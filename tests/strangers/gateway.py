"""Stands in front of the provider at argv[1] as LiteLLM's proxy, and lets in who holds argv[2]."""

import json
import os
import socket
import sys
import tempfile

upstream, key = sys.argv[1:]
os.environ.update(
    LITELLM_LOCAL_MODEL_COST_MAP="True",
    LITELLM_TELEMETRY="False",
    LITELLM_LOG="ERROR",
    NO_PROXY="*",
)


def model(name, wire, base):
    known_as = f"{wire}/{name}"
    return {
        "model_name": name,
        "litellm_params": {"model": known_as, "api_base": base, "api_key": "upstream"},
    }


config = {
    "model_list": [
        model("small", "openai", f"{upstream}/v1"),
        model("claude", "anthropic", upstream),
    ],
    "general_settings": {"master_key": key},
}
with tempfile.NamedTemporaryFile("w", suffix=".yaml", delete=False) as file:
    json.dump(config, file)  # YAML knows JSON
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
print(json.dumps({"url": f"http://127.0.0.1:{port}"}), flush=True)

# What it says of itself is nobody's answer.
os.dup2(2, 1)

from litellm.proxy.proxy_cli import run_server

run_server(["--config", file.name, "--host", "127.0.0.1", "--port", str(port)])
