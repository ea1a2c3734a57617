"""Drives the mock at OLLAMA_HOST with the PyPI package `ollama` and prints what the client made of it.

One JSON object goes to standard output; tests/real_clients.rs knows what must be in it.
"""

import json
from importlib.metadata import version

import ollama

MODEL = "gemma3"
PROMPT = "Why is the sky blue? Größe, <b>, 🦙"
OPTIONS = {"seed": 5, "num_predict": 40}
MESSAGES = [{"role": "user", "content": PROMPT}]

# Whatever hangs is to fail.
client = ollama.Client(timeout=20)


def final(part):
    """What the last part states, as plain JSON."""
    return part.model_dump(mode="json", exclude_none=True)


def whole(part, text):
    return {"pieces": [text(part)], "final": final(part)}


def streamed(parts, text):
    parts = list(parts)
    assert not any(part.done for part in parts[:-1])
    return {"pieces": [text(part) for part in parts], "final": final(parts[-1])}


def response(part):
    return part.response


def content(part):
    assert part.message.role == "assistant"
    return part.message.content


def refusal(call):
    """Status and words of the error that the call ends with."""
    try:
        call()
    except ollama.ResponseError as error:
        return [error.status_code, error.error]
    return "no error"


def post(route, body=None):
    """The client lets no request without a body or a model pass; its innermost layer does."""
    return client._request_raw("POST", route, json=body)


def running():
    return [model.model for model in client.ps().models]


def abandon():
    """Leaves a stream that would last for half an hour."""
    stream = client.generate(MODEL, PROMPT, stream=True, options={**OPTIONS, "num_predict": 2_000_000})
    first = next(stream).response
    stream.close()
    return first


show = client.show(MODEL)
report = {
    "package": f"ollama {version('ollama')}",
    "list": [model.model for model in client.list().models],
    "show": {
        "architecture": show.modelinfo["general.architecture"],
        "family": show.details.family,
        "capabilities": show.capabilities,
    },
    "load": [client.generate(MODEL).done_reason, client.chat(MODEL).done_reason],
    "load_streamed": [
        [part.done_reason for part in client.generate(MODEL, stream=True)],
        [part.done_reason for part in client.chat(MODEL, stream=True)],
    ],
    "running": running(),
    "generate": whole(client.generate(MODEL, PROMPT, options=OPTIONS), response),
    "generate_streamed": streamed(client.generate(MODEL, PROMPT, options=OPTIONS, stream=True), response),
    "chat": whole(client.chat(MODEL, MESSAGES, options=OPTIONS), content),
    "chat_streamed": streamed(client.chat(MODEL, MESSAGES, options=OPTIONS, stream=True), content),
    "abandoned": abandon(),
    "after_abandoning": client.generate(MODEL, PROMPT, options=OPTIONS).response,
    "unload": [client.generate(MODEL, keep_alive=0).done_reason, client.chat(MODEL, keep_alive="0s").done_reason],
    "running_after_unload": running(),
    "errors": {
        "generate, no body": refusal(lambda: post("/api/generate")),
        "chat, no body": refusal(lambda: post("/api/chat")),
        "generate, unknown model": refusal(lambda: client.generate("x", PROMPT)),
        "generate, no model": refusal(lambda: post("/api/generate", {"prompt": PROMPT})),
        "generate, thinking": refusal(lambda: client.generate(MODEL, PROMPT, think=True)),
        "generate streamed, unknown model": refusal(lambda: list(client.generate("x", PROMPT, stream=True))),
        "chat, unknown model": refusal(lambda: client.chat("x", MESSAGES)),
        "chat, no model": refusal(lambda: post("/api/chat", {"messages": MESSAGES})),
        "chat, thinking": refusal(lambda: client.chat(MODEL, MESSAGES, think="high")),
        "chat streamed, thinking": refusal(lambda: list(client.chat(MODEL, MESSAGES, think=True, stream=True))),
        "show, unknown model": refusal(lambda: client.show("x")),
        "show, no model": refusal(lambda: post("/api/show", {})),
    },
}
print(json.dumps(report))
