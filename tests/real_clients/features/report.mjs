// What the JavaScript drivers of this folder share: what they ask for, and the report that they print.
// The same as report.py; see there.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

// The report stands alone on standard output; the package `ollama` has things to say there.
console.log = () => {};

// Unlike `import`, this also looks where NODE_PATH says.
export const require = createRequire(import.meta.url);
const { z } = require("zod");

export const HOST = process.env.OLLAMA_HOST;
export const EMBEDDING = process.argv[2];
export const MODEL = "gemma3";
export const TOOLS = "tools";
export const THINKING = "thinking";
export const UNKNOWN = "no-such-model";

export const PROMPT = "Why is the sky blue? Größe, <b>, 🦙";
export const MESSAGES = [{ role: "user", content: PROMPT }];
export const TEXTS = ["a llama", "an alpaca"];
// The dot of a PNG file.
export const IMAGE =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
export const SEED = 5;
// Tokens of an answer, of one that must come to its end, and of one that would last for half an hour.
export const TOKENS = 8;
export const TOKENS_TO_THE_END = Number(process.argv[3]);
export const TOKENS_WITHOUT_END = 2_000_000;

export const QUESTION = [{ role: "user", content: "What is the capital of France? Answer in JSON." }];
export const WEATHER = [{ role: "user", content: "What is the weather in Paris?" }];
export const WEATHER_SCHEMA = {
  type: "object",
  properties: { city: { type: "string", description: "the city's name" } },
  required: ["city"],
};
export const WEATHER_TOOL = {
  type: "function",
  function: { name: "weather", description: "The weather in a city", parameters: WEATHER_SCHEMA },
};
// A city, as a schema that answers must fit.
export const CAPITAL = z.object({ city: z.string(), large: z.boolean() });

// An answer: its pieces, why it ended, and how many tokens it has, where the client says so.
export const answer = (pieces, reason = null, tokens = null) => ({ pieces, reason, tokens });

// A token, the logarithm of its probability, and how many others are stated.
export const logprob = ({ token, logprob, top_logprobs }) => ({ token, logprob, top: top_logprobs.length });

// The dimensions and the length of each vector.
export const vectors = (embeddings) =>
  embeddings.map((vector) => ({ dimensions: vector.length, length: Math.hypot(...vector) }));

// A package and its version. Not every package lets others ask for its package.json.
export function named(name) {
  for (let folder = dirname(require.resolve(name)); ; folder = dirname(folder)) {
    try {
      const found = JSON.parse(readFileSync(join(folder, "package.json")));
      if (found.name === name) return `${name} ${found.version}`;
    } catch (error) {
      if (error.code !== "ENOENT") throw error;
    }
  }
}

export async function all(stream) {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return parts;
}

// The words of the error with which the request must end.
export async function refusal(words, request) {
  try {
    await request();
  } catch (error) {
    return words(error);
  }
  throw new Error("it is not refused");
}

// Runs the features one after the other and prints what each gave.
export async function report(client, features) {
  // Whatever hangs is to fail.
  const patience = setTimeout(() => {
    console.error("no end after 600 s");
    process.exit(1);
  }, 600_000);
  const outcomes = {};
  for (const [name, feature] of Object.entries(features)) {
    try {
      outcomes[name] = { gave: await feature() };
    } catch (error) {
      outcomes[name] = { raised: [error.name, error.message] };
    }
  }
  clearTimeout(patience);
  process.stdout.write(`${JSON.stringify({ client, features: outcomes })}\n`);
}
