"""Drives the server at OLLAMA_HOST with the PyPI packages `llama-index-llms-ollama` and
`llama-index-embeddings-ollama`; see report.py.
"""

import ollama
from llama_index.core.llms import ChatMessage, ImageBlock, TextBlock
from llama_index.core.tools import FunctionTool
from llama_index.embeddings.ollama import OllamaEmbedding
from llama_index.llms.ollama import Ollama

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
    Capital,
    Report,
    answer,
    call,
    refusal,
    vectors,
)

report = Report("llama-index-llms-ollama")
MESSAGE = ChatMessage(role="user", content=PROMPT)


def model(name=MODEL, tokens=TOKENS, **further):
    return Ollama(
        model=name,
        base_url=HOST,
        request_timeout=SECONDS,
        temperature=0,
        additional_kwargs={"seed": SEED, "num_predict": tokens},
        # Left to itself it takes the model's whole context, which a real server has to make room for.
        context_window=4096,
        **further,
    )


def said(parts):
    """The answer in the parts of a chat or of a completion, which is a chat of one message."""
    parts = list(parts)
    last = parts[-1].raw
    pieces = [part.delta for part in parts] if len(parts) > 1 else [last["message"]["content"]]
    return answer(pieces, last["done_reason"], last["eval_count"])


def weather(city: str) -> str:
    """The weather in a city."""
    return f"rain in {city}"


def called(asked, response):
    calls = asked.get_tool_calls_from_response(response, error_on_no_tool_call=False)
    return [call(one.tool_name, one.tool_kwargs) for one in calls]


def refused(request):
    return refusal(ollama.ResponseError, lambda error: [error.status_code, error.error], request)


@report.feature("show")
def _():
    # What it takes from the model's description when it is not told.
    asked = Ollama(model=MODEL, base_url=HOST, request_timeout=SECONDS)
    return {"context": asked.get_context_window()}


@report.feature("generate")
def _():
    return said([model().complete(PROMPT)])


@report.feature("generate, streamed")
def _():
    return said(model().stream_complete(PROMPT))


@report.feature("chat")
def _():
    return said([model().chat([MESSAGE])])


@report.feature("chat, streamed")
def _():
    return said(model().stream_chat([MESSAGE]))


@report.feature("abandoned stream")
def _():
    stream = model(tokens=TOKENS_WITHOUT_END).stream_chat([MESSAGE])
    first = next(stream).delta
    stream.close()
    return {"first": first, "then": said([model().chat([MESSAGE])])}


@report.feature("refusal")
def _():
    return refused(lambda: model(UNKNOWN).chat([MESSAGE]))


@report.feature("refusal, streamed")
def _():
    return refused(lambda: list(model(UNKNOWN).stream_chat([MESSAGE])))


@report.feature("thinking")
def _():
    response = model(THINKING, TOKENS_TO_THE_END, thinking=True).chat([MESSAGE])
    return {"thinking": response.raw["message"].get("thinking") or "", "text": response.raw["message"]["content"]}


@report.feature("tools")
def _():
    asked = model(TOOLS, TOKENS_TO_THE_END)
    tool = FunctionTool.from_defaults(weather)
    return called(asked, asked.chat_with_tools([tool], user_msg=WEATHER[0]["content"]))


@report.feature("tools, streamed")
def _():
    asked = model(TOOLS, TOKENS_TO_THE_END)
    tool = FunctionTool.from_defaults(weather)
    *_, last = asked.stream_chat_with_tools([tool], user_msg=WEATHER[0]["content"])
    return called(asked, last)


@report.feature("tool's result")
def _():
    asked = {"function": {"name": "weather", "arguments": {"city": "Paris"}}}
    history = [
        ChatMessage(role="user", content=WEATHER[0]["content"]),
        ChatMessage(role="assistant", content="", additional_kwargs={"tool_calls": [asked]}),
        ChatMessage(role="tool", content="rain", additional_kwargs={"tool_call_id": "weather"}),
    ]
    return said([model(TOOLS).chat_with_tools([FunctionTool.from_defaults(weather)], chat_history=history)])


@report.feature("JSON")
def _():
    question = ChatMessage(role="user", content=QUESTION[0]["content"])
    return model(tokens=TOKENS_TO_THE_END, json_mode=True).chat([question]).raw["message"]["content"]


@report.feature("schema")
def _():
    question = ChatMessage(role="user", content=QUESTION[0]["content"])
    return model(tokens=TOKENS_TO_THE_END).as_structured_llm(Capital).chat([question]).raw.model_dump()


@report.feature("image")
def _():
    blocks = [TextBlock(text=PROMPT), ImageBlock(image=IMAGE, image_mimetype="image/png")]
    return refused(lambda: model().chat([ChatMessage(role="user", blocks=blocks)]))


@report.feature("embeddings")
def _():
    made = OllamaEmbedding(model_name=EMBEDDING, base_url=HOST)
    return vectors(made.get_text_embedding_batch(TEXTS))


report.print()
