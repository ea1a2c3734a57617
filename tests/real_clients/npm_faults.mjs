// Has the mock at OLLAMA_HOST fail in the ways that are given as arguments, a fault each, and prints
// what the npm package `ollama` made of it.
//
// One JSON object goes to standard output; tests/real_client_faults.rs knows what must be in it.

import { createRequire } from "node:module";

// Unlike `import`, this also looks where NODE_PATH says.
const require = createRequire(import.meta.url);
const { Ollama } = require("ollama");

// Whatever hangs is to fail.
setTimeout(() => {
  console.error("no end after 20 s");
  process.exit(1);
}, 20_000).unref();

const asked = { model: "gemma3", stream: true, options: { seed: 5, num_predict: 6 } };
const routes = {
  generate: (client) => client.generate({ ...asked, prompt: "Why?" }),
  chat: (client) => client.chat({ ...asked, messages: [{ role: "user", content: "Why?" }] }),
};

// What a stream said, and how it ended.
async function stream(route, fault) {
  const client = new Ollama({ host: process.env.OLLAMA_HOST, headers: { "x-tare-fault": fault } });
  const pieces = [];
  try {
    for await (const part of await route(client)) pieces.push(part.response ?? part.message.content);
  } catch (error) {
    return { pieces, end: [error.name, ...(error.status_code ? [error.status_code] : []), error.message] };
  }
  return { pieces, end: [] };
}

const report = {};
for (const fault of process.argv.slice(2)) {
  report[fault] = {};
  for (const [name, route] of Object.entries(routes)) report[fault][name] = await stream(route, fault);
}
console.log(JSON.stringify(report));
