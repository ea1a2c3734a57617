"""Drives the server at OLLAMA_HOST with the PyPI package `langchain-ollama`; see report.py."""

import ollama
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_ollama import ChatOllama, OllamaEmbeddings, OllamaLLM

from report import (
    EMBEDDING,
    HOST,
    IMAGE,
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

report = Report("langchain-ollama")


def options(model, tokens):
    return {
        "model": model,
        "base_url": HOST,
        "seed": SEED,
        "temperature": 0,
        "num_predict": tokens,
        "client_kwargs": {"timeout": SECONDS},
    }


def chat(model=MODEL, tokens=TOKENS, **further):
    return ChatOllama(**options(model, tokens), **further)


def said(messages):
    messages = list(messages)
    last = [message for message in messages if "done_reason" in message.response_metadata][-1]
    reason = last.response_metadata["done_reason"]
    return answer([message.content for message in messages], reason, last.usage_metadata["output_tokens"])


def called(message):
    return [call(one["name"], one["args"]) for one in message.tool_calls]


def joined(chunks):
    """The message that the chunks of a stream add up to."""
    first, *rest = chunks
    return sum(rest, start=first)


def refused(request):
    return refusal(ollama.ResponseError, lambda error: [error.status_code, error.error], request)


@report.feature("generate")
def _():
    # It hands on the text alone.
    return answer([OllamaLLM(**options(MODEL, TOKENS)).invoke(PROMPT)], None, None)


@report.feature("generate, streamed")
def _():
    return answer(OllamaLLM(**options(MODEL, TOKENS)).stream(PROMPT), None, None)


@report.feature("chat")
def _():
    return said([chat().invoke(PROMPT)])


@report.feature("chat, streamed")
def _():
    return said(chat().stream(PROMPT))


@report.feature("abandoned stream")
def _():
    stream = chat(tokens=TOKENS_WITHOUT_END).stream(PROMPT)
    first = next(stream).content
    stream.close()
    return {"first": first, "then": said([chat().invoke(PROMPT)])}


@report.feature("refusal")
def _():
    return refused(lambda: chat(UNKNOWN).invoke(PROMPT))


@report.feature("refusal, streamed")
def _():
    return refused(lambda: list(chat(UNKNOWN).stream(PROMPT)))


@report.feature("thinking")
def _():
    message = chat(THINKING, TOKENS_TO_THE_END, reasoning=True).invoke(PROMPT)
    return {"thinking": message.additional_kwargs.get("reasoning_content", ""), "text": message.content}


@report.feature("tools")
def _():
    return called(chat(TOOLS, TOKENS_TO_THE_END).bind_tools([WEATHER_TOOL]).invoke(WEATHER))


@report.feature("tools, streamed")
def _():
    return called(joined(chat(TOOLS, TOKENS_TO_THE_END).bind_tools([WEATHER_TOOL]).stream(WEATHER)))


@report.feature("tool's result")
def _():
    asked = {"id": "call_1", "name": "weather", "args": {"city": "Paris"}}
    messages = [
        HumanMessage(WEATHER[0]["content"]),
        AIMessage("", tool_calls=[asked]),
        ToolMessage("rain", tool_call_id="call_1"),
    ]
    return said([chat(TOOLS).bind_tools([WEATHER_TOOL]).invoke(messages)])


@report.feature("JSON")
def _():
    return chat(tokens=TOKENS_TO_THE_END, format="json").invoke(QUESTION).content


@report.feature("schema")
def _():
    return chat(tokens=TOKENS_TO_THE_END).with_structured_output(Capital).invoke(QUESTION).model_dump()


@report.feature("logprobs")
def _():
    message = chat(logprobs=True, top_logprobs=2).invoke(PROMPT)
    stated = message.response_metadata["logprobs"]
    return [logprob(one["token"], one["logprob"], one["top_logprobs"]) for one in stated]


@report.feature("image")
def _():
    content = [
        {"type": "text", "text": PROMPT},
        {"type": "image_url", "image_url": f"data:image/png;base64,{IMAGE}"},
    ]
    return refused(lambda: chat().invoke([HumanMessage(content)]))


@report.feature("embeddings")
def _():
    return vectors(OllamaEmbeddings(model=EMBEDDING, base_url=HOST).embed_documents(TEXTS))


report.print()
