"""Drives the server at OLLAMA_HOST with the PyPI package `litellm`; see report.py."""

import json

import litellm

from report import (
    EMBEDDING,
    HOST,
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

litellm.suppress_debug_info = True
report = Report("litellm")


def ask(model, route="ollama_chat", messages=MESSAGES, tokens=TOKENS, **further):
    return litellm.completion(
        model=f"{route}/{model}",
        messages=messages,
        api_base=HOST,
        seed=SEED,
        temperature=0,
        max_tokens=tokens,
        timeout=SECONDS,
        max_retries=0,
        **further,
    )


def whole(completion):
    [choice] = completion.choices
    # By Ollama's own routes every answer ends for the reason `stop`, whatever the server says.
    return answer([choice.message.content], None, completion.usage.completion_tokens)


def chunks(stream):
    choices = [chunk.choices[0] for chunk in stream]
    # It counts the tokens itself.
    return answer([choice.delta.content for choice in choices if choice.delta.content], None, None)


def called(message):
    functions = [one.function for one in message.tool_calls or []]
    return [call(function.name, json.loads(function.arguments)) for function in functions]


def refused(request):
    """The server's status is lost, its words are not."""
    return refusal(litellm.APIConnectionError, lambda error: [None, str(error)], request)


@report.feature("generate")
def _():
    return whole(ask(MODEL, "ollama"))


@report.feature("generate, streamed")
def _():
    return chunks(ask(MODEL, "ollama", stream=True))


@report.feature("chat")
def _():
    return whole(ask(MODEL))


@report.feature("chat, streamed")
def _():
    return chunks(ask(MODEL, stream=True))


@report.feature("abandoned stream")
def _():
    stream = ask(MODEL, tokens=TOKENS_WITHOUT_END, stream=True)
    first = next(stream).choices[0].delta.content
    del stream
    return {"first": first, "then": whole(ask(MODEL))}


@report.feature("refusal")
def _():
    return refused(lambda: ask(UNKNOWN))


@report.feature("refusal, streamed")
def _():
    return refused(lambda: list(ask(UNKNOWN, stream=True)))


@report.feature("thinking")
def _():
    [choice] = ask(THINKING, tokens=TOKENS_TO_THE_END, reasoning_effort="high").choices
    return {"thinking": getattr(choice.message, "reasoning_content", None) or "", "text": choice.message.content}


@report.feature("tools")
def _():
    return called(ask(TOOLS, messages=WEATHER, tokens=TOKENS_TO_THE_END, tools=[WEATHER_TOOL]).choices[0].message)


@report.feature("tools, streamed")
def _():
    stream = ask(TOOLS, messages=WEATHER, tokens=TOKENS_TO_THE_END, tools=[WEATHER_TOOL], stream=True)
    return called(litellm.stream_chunk_builder(list(stream), messages=WEATHER).choices[0].message)


@report.feature("tool's result")
def _():
    asked = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Paris"}'}}
    messages = [
        *WEATHER,
        {"role": "assistant", "content": "", "tool_calls": [asked]},
        {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
    ]
    return whole(ask(TOOLS, messages=messages, tools=[WEATHER_TOOL]))


@report.feature("JSON")
def _():
    completion = ask(MODEL, messages=QUESTION, tokens=TOKENS_TO_THE_END, response_format={"type": "json_object"})
    return completion.choices[0].message.content


@report.feature("schema")
def _():
    completion = ask(MODEL, messages=QUESTION, tokens=TOKENS_TO_THE_END, response_format=Capital)
    return Capital.model_validate_json(completion.choices[0].message.content).model_dump()


@report.feature("logprobs")
def _():
    # By Ollama's own routes it refuses them; by OpenAI's it hands them on.
    completion = litellm.completion(
        model=f"openai/{MODEL}",
        messages=MESSAGES,
        api_base=f"{HOST}/v1",
        api_key="any",
        seed=SEED,
        max_tokens=TOKENS,
        timeout=SECONDS,
        max_retries=0,
        logprobs=True,
        top_logprobs=2,
    )
    stated = completion.choices[0].logprobs.content
    return [logprob(one.token, one.logprob, one.top_logprobs) for one in stated]


@report.feature("image")
def _():
    content = [
        {"type": "text", "text": PROMPT},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{IMAGE}"}},
    ]
    return refused(lambda: ask(MODEL, messages=[{"role": "user", "content": content}]))


@report.feature("embeddings")
def _():
    made = litellm.embedding(model=f"ollama/{EMBEDDING}", input=TEXTS, api_base=HOST)
    return vectors(one["embedding"] for one in made.data)


@report.feature("completions")
def _():
    completion = litellm.text_completion(
        model=f"text-completion-openai/{MODEL}",
        prompt=PROMPT,
        api_base=f"{HOST}/v1",
        api_key="any",
        seed=SEED,
        max_tokens=TOKENS,
    )
    [choice] = completion.choices
    return answer([choice.text], choice.finish_reason, completion.usage.completion_tokens)


@report.feature("responses")
def _():
    response = litellm.responses(
        model=f"openai/{MODEL}", input=PROMPT, api_base=f"{HOST}/v1", api_key="any", max_output_tokens=TOKENS
    )
    [message] = response.output
    return answer([part.text for part in message.content], response.status, response.usage.output_tokens)


report.print()
