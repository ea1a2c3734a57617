#!/usr/bin/env python3
"""Prints the figures from which crates/tare-mock/fixtures/profiles/cpu-gemma3-270m.toml is made.

    calibrate.py [ADDRESS [MODEL]]      default 127.0.0.1:11434 gemma3

It asks a real Ollama that serves nobody else, about 5 minutes on two cores. Times are
milliseconds, by the client's monotonic clock or as the server states them; of short series every
value is shown, of long ones the median with the 5 % and 95 % quantiles. Fits are by least squares.
"""
import http.client
import json
import random
import statistics
import sys
import time

ADDRESS = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:11434"
MODEL = sys.argv[2] if len(sys.argv) > 2 else "gemma3"
MS = 1e6
WORDS = (
    "the benchmark measures what a runtime adds to each call of a model and reports the median "
    "latency of 20 runs with 95 % intervals, tokens per second, queueing, reloads and memory"
).split()


class Answer:
    """What a call showed: the server's last line, when each line came, and when all was there."""

    def __init__(self, route, prompt, predict, **options):
        body = {"model": MODEL, "options": {"num_predict": predict, "temperature": 0, "seed": 1}}
        body["options"].update(options)
        if route == "chat":
            body["messages"] = [{"role": "user", "content": prompt}]
        else:
            body["prompt"] = prompt
            body["raw"] = route == "raw"
        connection = http.client.HTTPConnection(ADDRESS, timeout=120)
        connection.connect()
        start = time.monotonic_ns()
        path = "/api/chat" if route == "chat" else "/api/generate"
        connection.request("POST", path, json.dumps(body))
        reply = connection.getresponse()
        self.lines = []
        while line := reply.readline():
            self.lines.append((time.monotonic_ns() - start) / MS)
            last = line
        connection.close()
        said = json.loads(last)
        # Ollama breaks an answer off that says the same 30 times: then nothing is stated.
        if "error" in said:
            sys.exit(f"{MODEL} at {ADDRESS}: {last.decode()}")
        self.wall = self.lines[-1]
        self.prompt = said.get("prompt_eval_count", 0)
        self.output = said.get("eval_count", 0)
        for name in ("total", "load", "prompt_eval", "eval"):
            setattr(self, name, said.get(f"{name}_duration", 0) / MS)

    @property
    def remainder(self):
        """What of the total is neither load nor work on prompt or answer."""
        return self.total - self.load - self.prompt_eval - self.eval

    @property
    def gaps(self):
        tokens = self.lines[:-1]
        return [after - before for before, after in zip(tokens, tokens[1:])]


def text(words, seed, lines=1):
    """A text that shares no start with that of another seed, in so many lines."""
    chance = random.Random(seed)
    drawn = [chance.choice(WORDS) for _ in range(words)]
    length = -(-words // lines)
    cut = (" ".join(drawn[start : start + length]) for start in range(0, words, length))
    return f"{chance.random()} " + "\n".join(cut)


def spread(name, values):
    values = sorted(values)
    at = lambda share: values[round(share * (len(values) - 1))]
    print(
        f"{name}: median {at(0.5):.2f}, 5 % {at(0.05):.2f}, 95 % {at(0.95):.2f}, "
        f"least {values[0]:.2f}, most {values[-1]:.2f}, n {len(values)}"
    )


def fit(name, unit, points):
    """`fixed + slope * x` over pairs of x and milliseconds."""
    fitted = statistics.linear_regression(*zip(*points))
    print(f"{name}: {fitted.intercept:.2f} ms + {fitted.slope * 1e3:.1f} us a {unit}")
    for x in sorted({x for x, _ in points}):
        shown = ", ".join(f"{value:.1f}" for value in sorted(v for at, v in points if at == x))
        print(f"    {x:6}: {shown}")


def hot_load(seeds):
    for route in ("chat", "raw"):
        spread(f"hot load, {route}", [Answer(route, text(3, next(seeds)), 1).load for _ in range(20)])


def prompts(seeds):
    """Prompts of one line and ever more tokens."""
    for route in ("chat", "raw", "generate"):
        answers = [
            Answer(route, text(words, next(seeds)), 2)
            for _ in range(2)
            for words in (5, 100, 250, 500, 900, 1300)
        ]
        fit(f"prompt_eval, {route}", "token", [(it.prompt, it.prompt_eval) for it in answers])
        fit(f"remainder, {route}", "token", [(it.prompt, it.remainder) for it in answers])
        beyond = [(it.prompt + it.output, it.wall - it.total) for it in answers]
        fit(f"wall - total, {route}", "token", beyond)


def lines(seeds):
    """Prompts of as many words and ever more lines: what a pair of line breaks adds."""
    counts = (1, 25, 50, 75, 100)
    answers = [(n, Answer("generate", text(150, next(seeds), n), 1)) for n in counts for _ in "12"]
    pairs = lambda count: (count - 1) * (count - 2) // 2
    fit("remainder by lines", "pair", [(pairs(n), it.remainder) for n, it in answers])
    fit("wall - total by lines", "pair", [(pairs(n), it.wall - it.total) for n, it in answers])


def cache(seeds):
    """What of a prompt is read when it comes again, on either side of the sliding window."""
    for words in (200, 300, 600):
        prompt = text(words, next(seeds))
        first, again = (Answer("raw", prompt, 1) for _ in "12")
        print(
            f"the same prompt of {first.prompt} tokens again: "
            f"prompt_eval {first.prompt_eval:.1f}, {again.prompt_eval:.1f}"
        )


def decode(seeds):
    answers = [Answer("chat", text(20, next(seeds)), 28) for _ in range(15)]
    spread("decode gap by lines", [gap for it in answers for gap in it.gaps])
    stated = [it.eval / (it.output - 1) for it in answers if it.output > 1]
    spread("eval / (n - 1)", stated)
    after = Answer("chat", text(1200, next(seeds)), 28)
    spread(f"decode gap by lines after {after.prompt} tokens", after.gaps)


def reloads():
    turns = [Answer("chat", "hello", 1, num_ctx=(2048, 4096)[turn % 2]) for turn in range(8)]
    print("load with another num_ctx:", ", ".join(f"{it.load:.0f}" for it in turns))
    Answer("chat", "hello", 1)


def cancelled(seeds):
    """How long a request waits that comes when a prefill was left."""
    prompt = text(900, next(seeds))
    alone = Answer("raw", text(900, next(seeds)), 1)
    left = http.client.HTTPConnection(ADDRESS, timeout=120)
    body = {"model": MODEL, "prompt": prompt, "raw": True, "options": {"num_predict": 1}}
    left.request("POST", "/api/generate", json.dumps(body))
    time.sleep(alone.load / 1e3 + alone.prompt_eval / 4e3)
    left.close()
    following = Answer("raw", "hello", 1)
    print(
        f"left after a quarter of a prefill of {alone.prompt_eval:.0f}: "
        f"the next request's remainder is {following.remainder:.0f}"
    )


def main():
    seeds = iter(range(time.time_ns(), 2**63))
    Answer("chat", "hello", 1)
    hot_load(seeds)
    prompts(seeds)
    lines(seeds)
    cache(seeds)
    decode(seeds)
    reloads()
    cancelled(seeds)


main()
