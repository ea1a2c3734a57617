"""Drives the mock at OLLAMA_HOST with the PyPI package `openai` and prints what the client made of it.

One JSON object goes to standard output; tests/real_clients.rs knows what must be in it.
"""

import json
import os
from importlib.metadata import version

import openai

MESSAGES = [{"role": "user", "content": "Why is the sky blue? Größe, <b>, 🦙"}]
PARTS = [{"role": "user", "content": [{"type": "text", "text": MESSAGES[0]["content"]}]}]

# Whatever hangs is to fail, and whatever fails is not to be tried again.
client = openai.OpenAI(
    base_url=f"{os.environ['OLLAMA_HOST']}/v1", api_key="any", timeout=20, max_retries=0
)


def complete(model="gemma3", messages=MESSAGES, **further):
    return client.chat.completions.create(
        **{"model": model, "messages": messages, "seed": 5, "max_tokens": 40, **further}
    )


def whole(completion):
    [choice] = completion.choices
    assert choice.message.role == "assistant"
    return {
        "pieces": [choice.message.content],
        "reason": choice.finish_reason,
        "usage": completion.usage.model_dump(exclude_none=True),
    }


def streamed(**further):
    chunks = list(complete(stream=True, **further))
    assert len({chunk.id for chunk in chunks}) == 1
    choices = [choice for chunk in chunks for choice in chunk.choices]
    usage = [chunk.usage.model_dump(exclude_none=True) for chunk in chunks if chunk.usage]
    return {
        "pieces": [choice.delta.content for choice in choices if choice.delta.content is not None],
        "roles": [choice.delta.role for choice in choices if choice.delta.role],
        "reason": choices[-1].finish_reason,
        "usage": usage,
    }


def abandon():
    """Leaves a stream that would last for half an hour."""
    stream = complete(stream=True, max_tokens=2_000_000)
    first = next(stream).choices[0].delta.content
    stream.close()
    return first


def refusal(**further):
    """The kind of error that the call ends with, its status, type and words."""
    try:
        complete(**further)
    except openai.APIStatusError as error:
        return [type(error).__name__, error.status_code, error.type, error.body["message"]]
    return "no error"


report = {
    "package": f"openai {version('openai')}",
    "whole": whole(complete()),
    "parts": whole(complete(messages=PARTS)),
    "streamed": streamed(),
    "streamed_with_usage": streamed(stream_options={"include_usage": True}),
    "abandoned": abandon(),
    "after_abandoning": whole(complete()),
    "errors": {
        "unknown model": refusal(model="x"),
        "no model": refusal(model=""),
        "no messages": refusal(messages=[]),
        "thinking": refusal(reasoning_effort="high"),
        "streamed, unknown model": refusal(model="x", stream=True),
    },
}
print(json.dumps(report))
