// Drives the server at OLLAMA_HOST with the npm package `openai`; see report.mjs.

import {
  CAPITAL, EMBEDDING, HOST, IMAGE, MESSAGES, MODEL, PROMPT, QUESTION, SEED, TEXTS, THINKING, TOKENS,
  TOKENS_TO_THE_END, TOKENS_WITHOUT_END, TOOLS, UNKNOWN, WEATHER, WEATHER_TOOL,
  all, answer, logprob, named, refusal, report, require, vectors,
} from "./report.mjs";

const { OpenAI } = require("openai");
const { zodResponseFormat, zodTextFormat } = require("openai/helpers/zod");

const client = new OpenAI({ baseURL: `${HOST}/v1`, apiKey: "any", maxRetries: 0 });

const asked = (further) => ({
  model: MODEL, messages: MESSAGES, seed: SEED, temperature: 0, max_tokens: TOKENS, ...further,
});
const chat = (further) => client.chat.completions.create(asked(further));
const complete = (further) =>
  client.completions.create({ model: MODEL, prompt: PROMPT, seed: SEED, max_tokens: TOKENS, ...further });
const respond = { model: MODEL, input: PROMPT, max_output_tokens: TOKENS };
const toTheEnd = { max_tokens: TOKENS_TO_THE_END };
const weather = { model: TOOLS, messages: WEATHER, tools: [WEATHER_TOOL], ...toTheEnd };
const streaming = { stream: true, stream_options: { include_usage: true } };

// The answer of a chat or a completion.
function whole({ choices: [choice], usage }) {
  return answer([choice.text ?? choice.message.content], choice.finish_reason, usage.completion_tokens);
}

// The same from its chunks.
async function streamed(stream) {
  const chunks = await all(await stream);
  const choices = chunks.flatMap((chunk) => chunk.choices);
  const pieces = choices.map((choice) => choice.text ?? choice.delta.content).filter((piece) => piece != null);
  const { usage } = chunks.at(-1);
  return answer(pieces, choices.at(-1).finish_reason, usage.completion_tokens);
}

const called = ({ choices: [{ message }] }) =>
  (message.tool_calls ?? []).map((one) => ({
    name: one.function.name,
    arguments: JSON.parse(one.function.arguments),
  }));
const refused = (request) => refusal((error) => [error.status, error.error.message], request);

await report(named("openai"), {
  list: async () => (await all(client.models.list())).map((model) => model.id),
  retrieve: async () => {
    const { id, object, owned_by } = await client.models.retrieve(MODEL);
    return { id, object, owner: owned_by };
  },
  chat: async () => whole(await chat()),
  "chat, streamed": () => streamed(chat(streaming)),
  "abandoned stream": async () => {
    const stream = await chat({ max_tokens: TOKENS_WITHOUT_END, stream: true });
    for await (const chunk of stream) {
      // To leave the loop is to leave the stream.
      return { first: chunk.choices[0].delta.content, then: whole(await chat()) };
    }
  },
  refusal: () => refused(() => chat({ model: UNKNOWN })),
  "refusal, streamed": () => refused(async () => all(await chat({ model: UNKNOWN, stream: true }))),
  thinking: async () => {
    const { choices: [{ message }] } = await chat({ model: THINKING, ...toTheEnd });
    return { thinking: message.reasoning ?? "", text: message.content };
  },
  tools: async () => called(await chat(weather)),
  "tools, streamed": async () =>
    called(await client.chat.completions.stream(asked(weather)).finalChatCompletion()),
  "tool's result": async () => {
    const call = { id: "call_1", type: "function", function: { name: "weather", arguments: '{"city":"Paris"}' } };
    const messages = [
      ...WEATHER,
      { role: "assistant", content: "", tool_calls: [call] },
      { role: "tool", tool_call_id: "call_1", content: "rain" },
    ];
    return whole(await chat({ ...weather, messages, max_tokens: TOKENS }));
  },
  JSON: async () => {
    const format = { type: "json_object" };
    return (await chat({ messages: QUESTION, response_format: format, ...toTheEnd })).choices[0].message.content;
  },
  schema: async () => {
    const format = zodResponseFormat(CAPITAL, "capital");
    const further = { messages: QUESTION, response_format: format, ...toTheEnd };
    return (await client.chat.completions.parse(asked(further))).choices[0].message.parsed;
  },
  logprobs: async () => (await chat({ logprobs: true, top_logprobs: 2 })).choices[0].logprobs.content.map(logprob),
  image: () => {
    const image = { type: "image_url", image_url: { url: `data:image/png;base64,${IMAGE}` } };
    return refused(() => chat({ messages: [{ role: "user", content: [{ type: "text", text: PROMPT }, image] }] }));
  },
  // Left to itself, the client asks for base64 and decodes it.
  embeddings: async () =>
    vectors((await client.embeddings.create({ model: EMBEDDING, input: TEXTS })).data.map((one) => one.embedding)),
  completions: async () => whole(await complete()),
  "completions, streamed": () => streamed(complete(streaming)),
  responses: async () => {
    const response = await client.responses.create(respond);
    return answer([response.output_text], response.status, response.usage.output_tokens);
  },
  "responses, streamed": async () => {
    const events = await all(await client.responses.create({ ...respond, stream: true }));
    const pieces = events.filter((event) => event.type === "response.output_text.delta").map((event) => event.delta);
    const { response } = events.at(-1);
    return answer(pieces, response.status, response.usage.output_tokens);
  },
  "responses, schema": async () => {
    const format = zodTextFormat(CAPITAL, "capital");
    const further = { text: { format }, temperature: 0, max_output_tokens: TOKENS_TO_THE_END };
    return (await client.responses.parse({ model: MODEL, input: QUESTION, ...further })).output_parsed;
  },
});
