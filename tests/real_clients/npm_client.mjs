// Drives the mock at OLLAMA_HOST with the npm package `ollama` and prints what the client made of it.
//
// One JSON object goes to standard output; tests/real_clients.rs knows what must be in it.

import { createRequire } from "node:module";

// Unlike `import`, this also looks where NODE_PATH says.
const require = createRequire(import.meta.url);
const { Ollama } = require("ollama");

const MODEL = "gemma3";
const PROMPT = "Why is the sky blue? Größe, <b>, 🦙";
const OPTIONS = { seed: 5, num_predict: 40 };
const MESSAGES = [{ role: "user", content: PROMPT }];

// Whatever hangs is to fail.
setTimeout(() => {
  console.error("no end after 20 s");
  process.exit(1);
}, 20_000).unref();

const client = new Ollama({ host: process.env.OLLAMA_HOST });

const whole = (part, text) => ({ pieces: [text(part)], final: part });

async function all(stream) {
  const parts = [];
  for await (const part of await stream) parts.push(part);
  return parts;
}

async function streamed(stream, text) {
  const parts = await all(stream);
  if (parts.slice(0, -1).some((part) => part.done)) throw new Error("done before the last part");
  return { pieces: parts.map(text), final: parts.at(-1) };
}

const response = (part) => part.response;

function content(part) {
  if (part.message.role !== "assistant") throw new Error(`the role is ${part.message.role}`);
  return part.message.content;
}

// Status and words of the error that a call ends with.
async function refusal(call) {
  try {
    await call();
  } catch (error) {
    return [error.status_code ?? error.name, error.message];
  }
  return "no error";
}

const running = async () => (await client.ps()).models.map((model) => model.model);

// Leaves a stream that would last for half an hour.
async function abandon() {
  const options = { ...OPTIONS, num_predict: 2_000_000 };
  const stream = await client.generate({ model: MODEL, prompt: PROMPT, options, stream: true });
  for await (const part of stream) {
    stream.abort();
    return part.response;
  }
}

const generate = (further) => client.generate({ model: MODEL, prompt: PROMPT, options: OPTIONS, ...further });
const chat = (further) => client.chat({ model: MODEL, messages: MESSAGES, options: OPTIONS, ...further });
const load = (further) => client.generate({ model: MODEL, prompt: "", ...further });
const loadChat = (further) => client.chat({ model: MODEL, messages: [], ...further });
const reasons = (parts) => parts.map((part) => part.done_reason);

const show = await client.show({ model: MODEL });
// The order matters: each entry is made after the one above it.
const report = {
  package: `ollama ${require("ollama/package.json").version}`,
  version: (await client.version()).version,
  list: (await client.list()).models.map((model) => model.model),
  show: {
    architecture: show.model_info["general.architecture"],
    family: show.details.family,
    capabilities: show.capabilities,
  },
  load: reasons([await load(), await loadChat()]),
  load_streamed: [
    reasons(await all(load({ stream: true }))),
    reasons(await all(loadChat({ stream: true }))),
  ],
  running: await running(),
  generate: whole(await generate(), response),
  generate_streamed: await streamed(generate({ stream: true }), response),
  chat: whole(await chat(), content),
  chat_streamed: await streamed(chat({ stream: true }), content),
  abandoned: await abandon(),
  after_abandoning: (await generate()).response,
  unload: reasons([await load({ keep_alive: 0 }), await loadChat({ keep_alive: "0s" })]),
  running_after_unload: await running(),
  errors: {
    "generate, unknown model": await refusal(() => generate({ model: "x" })),
    "generate, no model": await refusal(() => generate({ model: "" })),
    "generate, thinking": await refusal(() => generate({ think: true })),
    "generate streamed, unknown model": await refusal(() => all(generate({ model: "x", stream: true }))),
    "chat, unknown model": await refusal(() => chat({ model: "x" })),
    "chat, no model": await refusal(() => chat({ model: "" })),
    "chat, thinking": await refusal(() => chat({ think: "high" })),
    "chat streamed, thinking": await refusal(() => all(chat({ think: true, stream: true }))),
    "show, unknown model": await refusal(() => client.show({ model: "x" })),
    "show, no model": await refusal(() => client.show({ model: "" })),
  },
};
console.log(JSON.stringify(report));
