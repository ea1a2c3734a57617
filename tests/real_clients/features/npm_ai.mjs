// Drives the server at OLLAMA_HOST with the npm package `ai` and its provider `ai-sdk-ollama`; see
// report.mjs.

import {
  CAPITAL, EMBEDDING, HOST, IMAGE, MODEL, PROMPT, QUESTION, SEED, TEXTS, THINKING, TOKENS, TOKENS_TO_THE_END,
  TOKENS_WITHOUT_END, TOOLS, UNKNOWN, WEATHER, WEATHER_SCHEMA,
  all, answer, named, refusal, report, require, vectors,
} from "./report.mjs";

const { Output, embedMany, generateText, jsonSchema, streamText, tool } = require("ai");
const { createOllama } = require("ai-sdk-ollama");

const provider = createOllama({ baseURL: HOST });
const asked = (further) => ({
  model: provider(MODEL), prompt: PROMPT, seed: SEED, temperature: 0, maxOutputTokens: TOKENS, maxRetries: 0,
  ...further,
});
const generate = (further) => generateText(asked(further));

// Its streams print errors and end, unless they are told what to do with one.
async function stream(further) {
  let failure;
  const reply = streamText(asked({ ...further, onError: ({ error }) => (failure = error) }));
  const pieces = await all(reply.textStream);
  if (failure) throw failure;
  return { reply, pieces };
}

const weather = {
  model: provider(TOOLS),
  prompt: WEATHER[0].content,
  maxOutputTokens: TOKENS_TO_THE_END,
  tools: { weather: tool({ description: "The weather in a city", inputSchema: jsonSchema(WEATHER_SCHEMA) }) },
};
const called = (calls) => calls.map((one) => ({ name: one.toolName, arguments: one.input }));
const whole = (reply) => answer([reply.text], reply.finishReason, reply.usage.outputTokens);
const words = (error) => [error.statusCode ?? error.cause?.status_code ?? null, error.message];
const refused = (request) => refusal(words, request);

await report(
  `${named("ai")} with ${named("ai-sdk-ollama")}`,
  {
    chat: async () => whole(await generate()),
    "chat, streamed": async () => {
      const { reply, pieces } = await stream();
      return answer(pieces, await reply.finishReason, (await reply.usage).outputTokens);
    },
    "abandoned stream": async () => {
      const leave = new AbortController();
      const further = { maxOutputTokens: TOKENS_WITHOUT_END, abortSignal: leave.signal };
      for await (const first of streamText(asked(further)).textStream) {
        leave.abort();
        return { first, then: whole(await generate()) };
      }
    },
    refusal: () => refused(() => generate({ model: provider(UNKNOWN) })),
    "refusal, streamed": () => refused(() => stream({ model: provider(UNKNOWN) })),
    thinking: async () => {
      const { reasoningText, text } = await generate({
        model: provider(THINKING, { think: true }),
        maxOutputTokens: TOKENS_TO_THE_END,
      });
      return { thinking: reasoningText ?? "", text };
    },
    tools: async () => called((await generate(weather)).toolCalls),
    "tools, streamed": async () => called(await (await stream(weather)).reply.toolCalls),
    "tool's result": async () => {
      const call = { toolCallId: "call_1", toolName: "weather" };
      const messages = [
        ...WEATHER,
        { role: "assistant", content: [{ type: "tool-call", ...call, input: { city: "Paris" } }] },
        { role: "tool", content: [{ type: "tool-result", ...call, output: { type: "text", value: "rain" } }] },
      ];
      return whole(await generate({ ...weather, prompt: undefined, messages, maxOutputTokens: TOKENS }));
    },
    JSON: async () => {
      const further = { prompt: QUESTION[0].content, maxOutputTokens: TOKENS_TO_THE_END };
      return JSON.stringify((await generate({ ...further, output: Output.json() })).output);
    },
    schema: async () => {
      const further = { prompt: QUESTION[0].content, maxOutputTokens: TOKENS_TO_THE_END };
      return (await generate({ ...further, output: Output.object({ schema: CAPITAL }) })).output;
    },
    image: () => {
      const content = [{ type: "text", text: PROMPT }, { type: "image", image: IMAGE, mediaType: "image/png" }];
      return refused(() => generate({ prompt: undefined, messages: [{ role: "user", content }] }));
    },
    embeddings: async () =>
      vectors((await embedMany({ model: provider.embedding(EMBEDDING), values: TEXTS, maxRetries: 0 })).embeddings),
  },
);
