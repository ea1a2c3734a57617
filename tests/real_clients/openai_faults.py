"""Has the mock at OLLAMA_HOST fail in the ways that are given as arguments, a fault each, and prints
what the PyPI package `openai` made of it.

One JSON object goes to standard output; tests/real_client_faults.rs knows what must be in it.
"""

import json
import os
import sys

import openai


def stream(fault):
    """What a stream said, and how it ended."""
    # Whatever hangs is to fail, and whatever fails is not to be tried again.
    client = openai.OpenAI(
        base_url=f"{os.environ['OLLAMA_HOST']}/v1",
        api_key="any",
        timeout=20,
        max_retries=0,
        default_headers={"x-tare-fault": fault},
    )
    pieces = []
    try:
        for chunk in client.chat.completions.create(
            model="gemma3",
            messages=[{"role": "user", "content": "Why?"}],
            stream=True,
            seed=5,
            max_tokens=6,
        ):
            if (piece := chunk.choices[0].delta.content) is not None:
                pieces.append(piece)
    except openai.APIStatusError as error:
        return {"pieces": pieces, "end": [type(error).__name__, error.status_code, error.body["message"]]}
    except openai.APIError as error:
        return {"pieces": pieces, "end": [type(error).__name__, error.message]}
    return {"pieces": pieces, "end": []}


print(json.dumps({fault: stream(fault) for fault in sys.argv[1:]}))
