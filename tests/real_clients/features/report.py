"""What the Python drivers of this folder share: what they ask for, and the report that they print.

A report is one JSON object: the client's version, and for each feature of the client either what it
gave, in the same form for all clients, or the error that it raised. `tests/client_features.rs` knows what
each feature must give. The first argument names the model that makes embeddings, the second says how many
tokens an answer may have that must come to its end.
"""

import json
import math
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel

HOST = os.environ["OLLAMA_HOST"]
EMBEDDING = sys.argv[1]
MODEL = "gemma3"
TOOLS = "tools"
THINKING = "thinking"
UNKNOWN = "no-such-model"

PROMPT = "Why is the sky blue? Größe, <b>, 🦙"
MESSAGES = [{"role": "user", "content": PROMPT}]
TEXTS = ["a llama", "an alpaca"]
# The dot of a PNG file.
IMAGE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SEED = 5
# Tokens of an answer, of one that must come to its end, and of one that would last for half an hour.
TOKENS = 8
TOKENS_TO_THE_END = int(sys.argv[2])
TOKENS_WITHOUT_END = 2_000_000
# Whatever hangs is to fail.
SECONDS = 120

QUESTION = [{"role": "user", "content": "What is the capital of France? Answer in JSON."}]
WEATHER = [{"role": "user", "content": "What is the weather in Paris?"}]
WEATHER_TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather in a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "description": "the city's name"}},
            "required": ["city"],
        },
    },
}


class Capital(BaseModel):
    """A city, as a schema that answers must fit."""

    city: str
    large: bool


def answer(pieces: Iterable[str], reason: str | None, tokens: int | None) -> dict[str, Any]:
    """An answer: its pieces, why it ended, and how many tokens it has, where the client says so."""
    return {"pieces": list(pieces), "reason": reason, "tokens": tokens}


def call(name: str, arguments: Any) -> dict[str, Any]:
    """A call of a tool."""
    return {"name": name, "arguments": arguments}


def logprob(token: str, value: float, top: Sequence[Any]) -> dict[str, Any]:
    """A token, the logarithm of its probability, and how many others are stated."""
    return {"token": token, "logprob": value, "top": len(top)}


def vectors(embeddings: Iterable[Sequence[float]]) -> list[dict[str, Any]]:
    """The dimensions and the length of each vector."""
    return [{"dimensions": len(vector), "length": math.hypot(*vector)} for vector in embeddings]


def refusal(error: type[Exception], words: Callable[[Any], Any], request: Callable[[], Any]) -> Any:
    """The words of the error of this type with which the request must end."""
    try:
        request()
    except error as raised:
        return words(raised)
    raise AssertionError("it is not refused")


class Report:
    """Runs the features and notes what they gave."""

    def __init__(self, package: str) -> None:
        self.client = f"{package} {version(package)}"
        self.features: dict[str, Any] = {}

    def feature(self, name: str) -> Callable[[Callable[[], Any]], None]:
        """Runs the function that follows, as this feature."""

        def run(function: Callable[[], Any]) -> None:
            try:
                self.features[name] = {"gave": function()}
            # Whatever a client raises is its answer.
            except Exception as error:  # noqa: BLE001
                self.features[name] = {"raised": [type(error).__name__, str(error)]}

        return run

    def print(self) -> None:
        print(json.dumps({"client": self.client, "features": self.features}))
