"""Drives the server at OLLAMA_HOST with the PyPI package `ollama`; see report.py."""

import ollama

from report import (
    EMBEDDING,
    IMAGE,
    MESSAGES,
    MODEL,
    PROMPT,
    QUESTION,
    SECONDS,
    SEED,
    TEXTS,
    THINKING,
    TOKENS,
    TOKENS_TO_THE_END,
    TOKENS_WITHOUT_END,
    TOOLS,
    UNKNOWN,
    WEATHER,
    WEATHER_TOOL,
    Capital,
    Report,
    answer,
    call,
    logprob,
    refusal,
    vectors,
)

COPY = "tare-python-copy"
MADE = "tare-python-made"

report = Report("ollama")
client = ollama.Client(timeout=SECONDS)


def options(tokens=TOKENS):
    return {"seed": SEED, "temperature": 0, "num_predict": tokens}


def said(parts):
    """The answer in the parts of `generate` or `chat`."""
    parts = list(parts)
    last = parts[-1]
    pieces = [part.message.content if "message" in part else part.response for part in parts]
    return answer(pieces, last.done_reason, last.eval_count)


def called(parts):
    parts = list(parts)
    return [call(one.function.name, one.function.arguments) for part in parts for one in part.message.tool_calls or []]


def refused(request):
    return refusal(ollama.ResponseError, lambda error: [error.status_code, error.error], request)


def names():
    return [model.model for model in client.list().models]


@report.feature("list")
def _():
    return names()


@report.feature("show")
def _():
    show = client.show(TOOLS)
    return {
        "family": show.details.family,
        "capabilities": show.capabilities,
        "context": show.modelinfo["gemma3.context_length"],
    }


@report.feature("load and unload")
def _():
    load, running = client.generate(MODEL).done_reason, [model.model for model in client.ps().models]
    return {"reasons": [load, client.generate(MODEL, keep_alive=0).done_reason], "running": running}


@report.feature("generate")
def _():
    return said([client.generate(MODEL, PROMPT, options=options())])


@report.feature("generate, streamed")
def _():
    return said(client.generate(MODEL, PROMPT, options=options(), stream=True))


@report.feature("chat")
def _():
    return said([client.chat(MODEL, MESSAGES, options=options())])


@report.feature("chat, streamed")
def _():
    return said(client.chat(MODEL, MESSAGES, options=options(), stream=True))


@report.feature("abandoned stream")
def _():
    stream = client.generate(MODEL, PROMPT, stream=True, options=options(TOKENS_WITHOUT_END))
    first = next(stream).response
    stream.close()
    return {"first": first, "then": said([client.generate(MODEL, PROMPT, options=options())])}


@report.feature("refusal")
def _():
    return refused(lambda: client.chat(UNKNOWN, MESSAGES))


@report.feature("refusal, streamed")
def _():
    return refused(lambda: list(client.chat(UNKNOWN, MESSAGES, stream=True)))


@report.feature("thinking")
def _():
    message = client.chat(THINKING, MESSAGES, think=True, options=options(TOKENS_TO_THE_END)).message
    return {"thinking": message.thinking or "", "text": message.content}


@report.feature("tools")
def _():
    return called([client.chat(TOOLS, WEATHER, tools=[WEATHER_TOOL], options=options(TOKENS_TO_THE_END))])


@report.feature("tools, streamed")
def _():
    return called(client.chat(TOOLS, WEATHER, tools=[WEATHER_TOOL], options=options(TOKENS_TO_THE_END), stream=True))


@report.feature("tool's result")
def _():
    asked = {"function": {"name": "weather", "arguments": {"city": "Paris"}}}
    messages = [
        *WEATHER,
        {"role": "assistant", "content": "", "tool_calls": [asked]},
        {"role": "tool", "tool_name": "weather", "content": "rain"},
    ]
    return said([client.chat(TOOLS, messages, tools=[WEATHER_TOOL], options=options())])


@report.feature("JSON")
def _():
    return client.chat(MODEL, QUESTION, format="json", options=options(TOKENS_TO_THE_END)).message.content


@report.feature("schema")
def _():
    schema = Capital.model_json_schema()
    message = client.chat(MODEL, QUESTION, format=schema, options=options(TOKENS_TO_THE_END)).message
    return Capital.model_validate_json(message.content).model_dump()


@report.feature("logprobs")
def _():
    part = client.generate(MODEL, PROMPT, logprobs=True, top_logprobs=2, options=options())
    return [logprob(one.token, one.logprob, one.top_logprobs) for one in part.logprobs]


@report.feature("image")
def _():
    message = {"role": "user", "content": PROMPT, "images": [IMAGE]}
    return refused(lambda: client.chat(MODEL, [message], options=options()))


@report.feature("embeddings")
def _():
    return vectors(client.embed(EMBEDDING, TEXTS).embeddings)


@report.feature("embeddings, older route")
def _():
    return vectors([client.embeddings(EMBEDDING, TEXTS[0]).embedding])


@report.feature("copy")
def _():
    status = client.copy(MODEL, COPY).status
    return {"status": status, "there": f"{COPY}:latest" in names()}


@report.feature("create")
def _():
    status = client.create(MADE, from_=MODEL, system="Be brief.").status
    return {"status": status, "there": f"{MADE}:latest" in names()}


@report.feature("delete")
def _():
    statuses = {client.delete(name).status for name in (COPY, MADE)}
    [status] = statuses
    return {"status": status, "there": f"{COPY}:latest" in names() or f"{MADE}:latest" in names()}


@report.feature("pull")
def _():
    return refused(lambda: client.pull(UNKNOWN))


report.print()
