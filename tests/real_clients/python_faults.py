"""Has the mock at OLLAMA_HOST fail in the ways that are given as arguments, a fault each, and prints
what the PyPI package `ollama` made of it.

One JSON object goes to standard output; tests/real_client_faults.rs knows what must be in it.
"""

import json
import sys

import httpx
import ollama

ROUTES = {
    "generate": lambda client, **further: client.generate("gemma3", "Why?", **further),
    "chat": lambda client, **further: client.chat("gemma3", [{"role": "user", "content": "Why?"}], **further),
}


def text(part):
    return part.response if hasattr(part, "response") else part.message.content


def stream(route, fault):
    """What a stream said, and how it ended."""
    # Whatever hangs is to fail.
    client = ollama.Client(timeout=20, headers={"x-tare-fault": fault})
    pieces = []
    try:
        for part in route(client, stream=True, options={"seed": 5, "num_predict": 6}):
            pieces.append(text(part))
    except ollama.ResponseError as error:
        return {"pieces": pieces, "end": ["ResponseError", error.status_code, error.error]}
    except httpx.ReadError:
        return {"pieces": pieces, "end": ["ReadError"]}
    return {"pieces": pieces, "end": []}


report = {fault: {name: stream(route, fault) for name, route in ROUTES.items()} for fault in sys.argv[1:]}
print(json.dumps(report))
