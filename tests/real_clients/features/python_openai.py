"""Drives the server at OLLAMA_HOST with the PyPI package `openai`; see report.py."""

import json

import openai

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

report = Report("openai")
client = openai.OpenAI(base_url=f"{HOST}/v1", api_key="any", timeout=SECONDS, max_retries=0)


def chat(model=MODEL, messages=MESSAGES, tokens=TOKENS, **further):
    return client.chat.completions.create(
        model=model, messages=messages, seed=SEED, temperature=0, max_tokens=tokens, **further
    )


def chunks(stream):
    """The answer in the chunks of a chat or a completion."""
    chunks = list(stream)
    choices = [choice for chunk in chunks for choice in chunk.choices]
    pieces = [choice.text if hasattr(choice, "text") else choice.delta.content for choice in choices]
    usage = [chunk.usage.completion_tokens for chunk in chunks if chunk.usage]
    return answer([piece for piece in pieces if piece is not None], choices[-1].finish_reason, usage[-1])


def whole(completion):
    [choice] = completion.choices
    text = choice.text if hasattr(choice, "text") else choice.message.content
    return answer([text], choice.finish_reason, completion.usage.completion_tokens)


def words(error):
    return [error.status_code, error.body["message"]]


def refused(request):
    return refusal(openai.APIStatusError, words, request)


@report.feature("list")
def _():
    return [model.id for model in client.models.list()]


@report.feature("retrieve")
def _():
    model = client.models.retrieve(MODEL)
    return {"id": model.id, "object": model.object, "owner": model.owned_by}


@report.feature("chat")
def _():
    return whole(chat())


@report.feature("chat, streamed")
def _():
    return chunks(chat(stream=True, stream_options={"include_usage": True}))


@report.feature("abandoned stream")
def _():
    stream = chat(tokens=TOKENS_WITHOUT_END, stream=True)
    first = next(stream).choices[0].delta.content
    stream.close()
    return {"first": first, "then": whole(chat())}


@report.feature("refusal")
def _():
    return refused(lambda: chat(UNKNOWN))


@report.feature("refusal, streamed")
def _():
    return refused(lambda: list(chat(UNKNOWN, stream=True)))


@report.feature("thinking")
def _():
    [choice] = chat(THINKING, tokens=TOKENS_TO_THE_END).choices
    return {"thinking": getattr(choice.message, "reasoning", ""), "text": choice.message.content}


@report.feature("tools")
def _():
    [choice] = chat(TOOLS, WEATHER, TOKENS_TO_THE_END, tools=[WEATHER_TOOL]).choices
    functions = [one.function for one in choice.message.tool_calls or []]
    return [call(function.name, json.loads(function.arguments)) for function in functions]


@report.feature("tools, streamed")
def _():
    with client.chat.completions.stream(
        model=TOOLS, messages=WEATHER, tools=[WEATHER_TOOL], seed=SEED, temperature=0, max_tokens=TOKENS_TO_THE_END
    ) as stream:
        [choice] = stream.get_final_completion().choices
    functions = [one.function for one in choice.message.tool_calls or []]
    return [call(function.name, json.loads(function.arguments)) for function in functions]


@report.feature("tool's result")
def _():
    asked = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Paris"}'}}
    messages = [
        *WEATHER,
        {"role": "assistant", "content": "", "tool_calls": [asked]},
        {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
    ]
    return whole(chat(TOOLS, messages, tools=[WEATHER_TOOL]))


@report.feature("JSON")
def _():
    completion = chat(messages=QUESTION, tokens=TOKENS_TO_THE_END, response_format={"type": "json_object"})
    return completion.choices[0].message.content


@report.feature("schema")
def _():
    completion = client.chat.completions.parse(
        model=MODEL,
        messages=QUESTION,
        seed=SEED,
        temperature=0,
        max_tokens=TOKENS_TO_THE_END,
        response_format=Capital,
    )
    return completion.choices[0].message.parsed.model_dump()


@report.feature("logprobs")
def _():
    [choice] = chat(logprobs=True, top_logprobs=2).choices
    return [logprob(one.token, one.logprob, one.top_logprobs) for one in choice.logprobs.content]


@report.feature("image")
def _():
    content = [
        {"type": "text", "text": PROMPT},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{IMAGE}"}},
    ]
    return refused(lambda: chat(messages=[{"role": "user", "content": content}]))


@report.feature("embeddings")
def _():
    # Left to itself, the client asks for base64 and decodes it.
    return vectors(one.embedding for one in client.embeddings.create(model=EMBEDDING, input=TEXTS).data)


@report.feature("completions")
def _():
    return whole(client.completions.create(model=MODEL, prompt=PROMPT, seed=SEED, max_tokens=TOKENS))


@report.feature("completions, streamed")
def _():
    options = {"stream": True, "stream_options": {"include_usage": True}}
    return chunks(client.completions.create(model=MODEL, prompt=PROMPT, seed=SEED, max_tokens=TOKENS, **options))


@report.feature("responses")
def _():
    response = client.responses.create(model=MODEL, input=PROMPT, max_output_tokens=TOKENS)
    return answer([response.output_text], response.status, response.usage.output_tokens)


@report.feature("responses, streamed")
def _():
    with client.responses.stream(model=MODEL, input=PROMPT, max_output_tokens=TOKENS) as stream:
        pieces = [event.delta for event in stream if event.type == "response.output_text.delta"]
        response = stream.get_final_response()
    assert response.output_text == "".join(pieces)
    return answer(pieces, response.status, response.usage.output_tokens)


@report.feature("responses, schema")
def _():
    response = client.responses.parse(
        model=MODEL, input=QUESTION, text_format=Capital, temperature=0, max_output_tokens=TOKENS_TO_THE_END
    )
    return response.output_parsed.model_dump()


report.print()
