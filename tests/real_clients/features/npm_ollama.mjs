// Drives the server at OLLAMA_HOST with the npm package `ollama`; see report.mjs.

import {
  CAPITAL, EMBEDDING, HOST, IMAGE, MESSAGES, MODEL, PROMPT, QUESTION, SEED, TEXTS, THINKING, TOKENS,
  TOKENS_TO_THE_END, TOKENS_WITHOUT_END, TOOLS, UNKNOWN, WEATHER, WEATHER_TOOL,
  all, answer, logprob, named, refusal, report, require, vectors,
} from "./report.mjs";

const { Ollama } = require("ollama");
const { z } = require("zod");

const COPY = "tare-npm-copy";
const MADE = "tare-npm-made";
const client = new Ollama({ host: HOST });

const options = (tokens = TOKENS) => ({ seed: SEED, temperature: 0, num_predict: tokens });
const generate = (further) => client.generate({ model: MODEL, prompt: PROMPT, options: options(), ...further });
const chat = (further) => client.chat({ model: MODEL, messages: MESSAGES, options: options(), ...further });
const toTheEnd = { options: options(TOKENS_TO_THE_END) };
const askWeather = (further) =>
  chat({ model: TOOLS, messages: WEATHER, tools: [WEATHER_TOOL], ...toTheEnd, ...further });

// The answer in the parts of `generate` or `chat`.
function said(parts) {
  const last = parts.at(-1);
  return answer(parts.map((part) => part.response ?? part.message.content), last.done_reason, last.eval_count);
}

const called = (parts) =>
  parts.flatMap((part) => part.message.tool_calls ?? []).map(({ function: { name, arguments: given } }) => ({
    name,
    arguments: given,
  }));
const refused = (request) => refusal((error) => [error.status_code, error.message], request);
const names = async () => (await client.list()).models.map((model) => model.model);

await report(named("ollama"), {
  version: async () => (await client.version()).version,
  list: names,
  show: async () => {
    const show = await client.show({ model: TOOLS });
    return {
      family: show.details.family,
      capabilities: show.capabilities,
      context: show.model_info["gemma3.context_length"],
    };
  },
  "load and unload": async () => {
    const load = (await client.generate({ model: MODEL, prompt: "" })).done_reason;
    const running = (await client.ps()).models.map((model) => model.model);
    const unload = (await client.generate({ model: MODEL, prompt: "", keep_alive: 0 })).done_reason;
    return { reasons: [load, unload], running };
  },
  generate: async () => said([await generate()]),
  "generate, streamed": async () => said(await all(await generate({ stream: true }))),
  chat: async () => said([await chat()]),
  "chat, streamed": async () => said(await all(await chat({ stream: true }))),
  "abandoned stream": async () => {
    const stream = await generate({ options: options(TOKENS_WITHOUT_END), stream: true });
    const first = (await stream.itr.next()).value.response;
    stream.abort();
    return { first, then: said([await generate()]) };
  },
  refusal: () => refused(() => chat({ model: UNKNOWN })),
  "refusal, streamed": () => refused(async () => all(await chat({ model: UNKNOWN, stream: true }))),
  thinking: async () => {
    const { message } = await chat({ model: THINKING, think: true, ...toTheEnd });
    return { thinking: message.thinking ?? "", text: message.content };
  },
  tools: async () => called([await askWeather()]),
  "tools, streamed": async () => called(await all(await askWeather({ stream: true }))),
  "tool's result": async () => {
    const asked = { function: { name: "weather", arguments: { city: "Paris" } } };
    const messages = [
      ...WEATHER,
      { role: "assistant", content: "", tool_calls: [asked] },
      { role: "tool", tool_name: "weather", content: "rain" },
    ];
    return said([await askWeather({ messages, options: options() })]);
  },
  JSON: async () => (await chat({ messages: QUESTION, format: "json", ...toTheEnd })).message.content,
  schema: async () => {
    const reply = await chat({ messages: QUESTION, format: z.toJSONSchema(CAPITAL), ...toTheEnd });
    return CAPITAL.parse(JSON.parse(reply.message.content));
  },
  logprobs: async () => (await generate({ logprobs: true, top_logprobs: 2 })).logprobs.map(logprob),
  image: () => refused(() => chat({ messages: [{ role: "user", content: PROMPT, images: [IMAGE] }] })),
  embeddings: async () => vectors((await client.embed({ model: EMBEDDING, input: TEXTS })).embeddings),
  "embeddings, older route": async () =>
    vectors([(await client.embeddings({ model: EMBEDDING, prompt: TEXTS[0] })).embedding]),
  copy: async () => {
    const { status } = await client.copy({ source: MODEL, destination: COPY });
    return { status, there: (await names()).includes(`${COPY}:latest`) };
  },
  create: async () => {
    const { status } = await client.create({ model: MADE, from: MODEL, system: "Be brief." });
    return { status, there: (await names()).includes(`${MADE}:latest`) };
  },
  delete: async () => {
    await client.delete({ model: COPY });
    const { status } = await client.delete({ model: MADE });
    const left = await names();
    return { status, there: left.includes(`${COPY}:latest`) || left.includes(`${MADE}:latest`) };
  },
  pull: () => refused(() => client.pull({ model: UNKNOWN })),
});
