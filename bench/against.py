#!/usr/bin/env python3
"""Rung beside the engines that people would take instead: llama.cpp and OpenVINO GenAI, on the same files, tokens and
threads.

    python3 bench/against.py                    the whole table: half an hour on two cores, nothing else running
    python3 bench/against.py --quick            fewer rounds, the two models that `rung pull` brings
    python3 bench/against.py --only prefill     one row, or several (--list names them)
    python3 bench/against.py --json FILE        every number as well

Peers come by their package names into build/against (llama-cpp-python is compiled for this machine), or lie already
with the interpreter that --python or RUNG_AGAINST_PYTHON names. Sides take turns, round after round; a ratio is that of
one round, and the median of all rounds counts, so that a slow moment of the machine meets both. Nothing is reused
between runs: no prefix cache, the KV cache is cleared. llama.cpp and OpenVINO run in each of their sensible settings,
and the best counts.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent
RUNG = HOME / "build/release/src/cli/rung"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rung"
PROMPT, STEPS, NEAR, FAR = 512, 32, 64, 4096  # tokens: of the prompt, written, before those


# ---- The peers, each in a process of its own. A question is a line of JSON, and so is the answer. ----

def synthetic_ids(count, vocabulary):
    return [(i * 7919 + 1) % vocabulary for i in range(count)]


class LlamaCpp:
    """The C API through ctypes: a batch of ids in, logits of the last out. Nothing of Python lies in what is timed but
    a call a batch."""

    SETTINGS = {"flash attention": 1, "no flash attention": 0}

    def __init__(self, model, threads):
        import ctypes

        import llama_cpp
        self.c, self.ctypes = llama_cpp, ctypes
        llama_cpp.llama_log_set(LlamaCpp.silence(llama_cpp), ctypes.c_void_p(0))
        parameters = llama_cpp.llama_model_default_params()
        parameters.n_gpu_layers = 0
        self.model = llama_cpp.llama_model_load_from_file(model.encode(), parameters)
        if not self.model:
            raise RuntimeError("cannot load")
        self.vocabulary = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(self.model))
        self.threads, self.contexts = threads, {}

    @staticmethod
    def silence(llama_cpp):
        LlamaCpp.callback = llama_cpp.llama_log_callback(lambda *_: None)  # kept: C holds only its address
        return LlamaCpp.callback

    def context(self, setting, tokens):
        key = (setting, tokens > 1024)
        if key not in self.contexts:
            p = self.c.llama_context_default_params()
            p.n_ctx = 8192 if tokens > 1024 else 1024
            p.n_batch = p.n_ubatch = 512
            p.n_threads = p.n_threads_batch = self.threads
            p.flash_attn_type = self.SETTINGS[setting]
            self.contexts[key] = self.c.llama_init_from_model(self.model, p)
            if not self.contexts[key]:
                raise RuntimeError("cannot make a context")
        return self.contexts[key]

    def decode(self, context, ids):
        array = (self.c.llama_token * len(ids))(*ids)
        if self.c.llama_decode(context, self.c.llama_batch_get_one(array, len(ids))) != 0:
            raise RuntimeError("llama_decode failed")

    def feed(self, context, ids):
        self.c.llama_memory_clear(self.c.llama_get_memory(context), True)
        for at in range(0, len(ids), 512):
            self.decode(context, ids[at:at + 512])
        self.c.llama_synchronize(context)

    def prefill(self, setting, tokens):
        context, ids = self.context(setting, tokens), synthetic_ids(tokens, self.vocabulary)
        start = time.perf_counter()
        self.feed(context, ids)
        return tokens / (time.perf_counter() - start)

    def write(self, setting, before, steps):
        context, ids = self.context(setting, before + steps), synthetic_ids(before + steps, self.vocabulary)
        self.feed(context, ids[:before])
        start = time.perf_counter()
        for id_ in ids[before:]:
            self.decode(context, [id_])
        self.c.llama_synchronize(context)
        return steps / (time.perf_counter() - start)


class OpenVino:
    SETTINGS = {"SDPA": "SDPA", "PA": "PA"}  # its two attention backends

    def __init__(self, model, threads):
        import numpy
        import openvino
        import openvino_genai
        self.g, self.ov, self.numpy = openvino_genai, openvino, numpy
        self.model, self.threads, self.pipelines = model, threads, {}

    def pipeline(self, setting):
        if setting not in self.pipelines:
            options = {"INFERENCE_NUM_THREADS": self.threads, "ATTENTION_BACKEND": setting}
            if setting == "PA":
                options["scheduler_config"] = self.g.SchedulerConfig()
                options["scheduler_config"].enable_prefix_caching = False
            # one at a time: it holds the weights
            self.pipelines = {setting: self.g.LLMPipeline(self.model, "CPU", **options)}
        return self.pipelines[setting]

    def generate(self, setting, before, steps):
        pipeline = self.pipeline(setting)
        ids = self.numpy.array([synthetic_ids(before, 30000)], dtype=self.numpy.int64)
        inputs = self.g.TokenizedInputs(self.ov.Tensor(ids), self.ov.Tensor(self.numpy.ones_like(ids)))
        config = self.g.GenerationConfig()
        config.max_new_tokens, config.ignore_eos, config.do_sample = steps + 1, True, False
        return pipeline.generate(inputs, config).perf_metrics

    def prefill(self, setting, tokens):
        return tokens / self.generate(setting, tokens, 0).get_ttft().mean * 1e3

    def write(self, setting, before, steps):
        return 1e3 / self.generate(setting, before, steps).get_tpot().mean


def serve(side):
    """Answers questions on stdin until there are no more. Whatever the libraries print goes to stderr."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    engine = None
    for line in sys.stdin:
        question = json.loads(line)
        try:
            if question["do"] == "load":
                engine = {"llama.cpp": LlamaCpp, "OpenVINO": OpenVino}[side](question["model"], question["threads"])
                answer = {"settings": list(engine.SETTINGS)}
            elif question["do"] == "prefill":
                answer = {"value": engine.prefill(question["setting"], question["tokens"])}
            else:
                answer = {"value": engine.write(question["setting"], question["context"], question["steps"])}
        except Exception as error:  # an engine may fail in any way: the table says that it did
            answer = {"error": str(error).splitlines()[0][:200] if str(error) else type(error).__name__}
        print(json.dumps(answer), file=answers, flush=True)


def first_token(model, prompt, threads):
    """llama.cpp from opening its library to the first token, as a process of its own; what Python itself takes is not
    counted."""
    import ctypes

    start = time.perf_counter()
    import llama_cpp as c
    c.llama_log_set(LlamaCpp.silence(c), ctypes.c_void_p(0))
    parameters = c.llama_model_default_params()
    handle = c.llama_model_load_from_file(model.encode(), parameters)
    p = c.llama_context_default_params()
    p.n_ctx, p.n_batch, p.n_ubatch, p.n_threads, p.n_threads_batch = 512, 512, 512, threads, threads
    context = c.llama_init_from_model(handle, p)
    vocabulary = c.llama_model_get_vocab(handle)
    ids = (c.llama_token * 512)()
    count = c.llama_tokenize(vocabulary, prompt.encode(), len(prompt.encode()), ids, 512, True, False)
    c.llama_decode(context, c.llama_batch_get_one(ids, count))
    logits = c.llama_get_logits_ith(context, -1)
    first = logits[0]  # they are there: choosing the largest of them takes no time that counts
    print(json.dumps({"seconds": time.perf_counter() - start, "tokens": count, "logit": first}))


class Peer:
    """A worker process, asked one question at a time."""

    def __init__(self, side, python):
        self.side = side
        self.process = subprocess.Popen([python, __file__, "--serve", side], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True,
                                        stderr=subprocess.DEVNULL)
        self.settings, self.error = [], None

    def ask(self, **question):
        if self.error:
            return None
        try:
            self.process.stdin.write(json.dumps(question) + "\n")
            self.process.stdin.flush()
            answer = json.loads(self.process.stdout.readline() or '{"error": "the process ended"}')
        except OSError as error:
            answer = {"error": str(error)}
        if "error" in answer:
            self.error = answer["error"]
            return None
        return answer

    def load(self, model, threads):
        answer = self.ask(do="load", model=str(model), threads=threads)
        self.settings = answer["settings"] if answer else []

    def best(self, **question):
        """The best of the settings. Those that a question cannot be answered in are left out."""
        values = []
        for setting in list(self.settings):
            answer = self.ask(setting=setting, **question)
            if answer:
                values.append(answer["value"])
            elif len(self.settings) > 1 and self.process.poll() is None:
                self.settings.remove(setting)
                self.error = None
        return max(values) if values else None

    def close(self):
        self.process.stdin.close()
        self.process.wait()


# ---- Our side ----

def rung(*arguments, threads, kernels=""):
    environment = {**os.environ, "RUNG_KERNELS": kernels} if kernels else None
    command = [RUNG, *map(str, arguments), "--threads", str(threads)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode != 0:
        raise SystemExit(f"rung {' '.join(map(str, arguments))}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def bench(model, threads, contexts=(NEAR,), prompt=PROMPT):
    return rung("bench", "-m", model, "--json", "--repeat", 1, "--prompt-tokens", prompt, "--contexts",
                ",".join(map(str, contexts)),
                "--batches", 1, "--decode-tokens", STEPS, threads=threads)


def run_and_wait(arguments):
    """→ seconds to the first byte of its output, and the most memory that it held."""
    start = time.perf_counter()
    process = subprocess.Popen(list(map(str, arguments)), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                               stdin=subprocess.DEVNULL)
    process.stdout.read(1)
    seconds = time.perf_counter() - start
    process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, arguments))}: exit status {process.returncode}")
    return seconds, usage.ru_maxrss * 1024


# ---- The models ----

class Models:
    """name → file, made on first use: the two that `rung pull` brings, and a random one of Qwen3-0.6B's shape in four
    formats."""

    def __init__(self, folder, python):
        self.folder, self.python = folder, python
        folder.mkdir(parents=True, exist_ok=True)

    def file(self, name):
        if name in ("smollm2-q4_1", "gemma3-q4_k_m"):
            short = name.split("-")[0]
            if not (CACHE / f"{short}.gguf").exists():
                subprocess.run([RUNG, "pull", short], check=True)
            return CACHE / f"{short}.gguf"
        path = self.folder / f"{name}.gguf"
        if path.exists():
            return path
        shape, form = name.split("-")
        if name == "qwen3-bf16":
            say(f"making {path}")
            subprocess.run([self.python, HOME / "tools/random_model.py", path], check=True, stdout=subprocess.DEVNULL)
        else:
            source = self.file("smollm2-q4_1" if shape == "smollm2" else "qwen3-bf16")
            say(f"making {path}")
            subprocess.run([RUNG, "quantize", source, "--to", form, path], check=True, stdout=subprocess.DEVNULL)
        return path


TITLES = {"smollm2-q4_1": "SmolLM2 Q4_1", "smollm2-q8_0": "SmolLM2 Q8_0", "gemma3-q4_k_m": "Gemma 3 Q4_K_M",
          "qwen3-q8_0": "Qwen3-0.6B shape Q8_0", "qwen3-q4_0": "Qwen3-0.6B shape Q4_0",
          "qwen3-q4_k_m": "Qwen3-0.6B shape Q4_K_M",
          "qwen3-bf16": "Qwen3-0.6B shape BF16"}
QUICK = ["smollm2-q4_1", "gemma3-q4_k_m"]

# ---- The rows: what is asked, at least and as an aim ----

SHARE = {"q8_0": (0.88, 0.97), "bf16": (0.88, 0.97), "q4_k_m": (0.88, 0.97), "q4_0": (0.80, 0.92), "q4_1": (0.80, 0.92)}
PREFILL = {"smollm2-q4_1": (3, 5), "smollm2-q8_0": (2.2, 3), "gemma3-q4_k_m": (1.5, 2.2), "qwen3-q4_0": (1.5, 2),
           "qwen3-bf16": (1.5, 2)}
DECODE, BOUND = (1.3, 2), 0.9  # that, unless so much of the bandwidth comes first
ROWS = {"share": "decode, share of the read bandwidth", "decode": "decode against llama.cpp",
        "peers": "prefill of 512 against the faster of llama.cpp and OpenVINO",
        "prefill": "prefill of 512 against llama.cpp",
        "int8": "linear layers of a prefill, share of the int8 peak", "context": f"decode at {FAR} against {NEAR}",
        "start": "process start to first token", "memory": "peak resident memory",
        "threads": "2 threads against 1, prefill"}


def say(text):
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def median(values):
    values = [v for v in values if v is not None]
    return statistics.median(values) if values else None


def ratio(ours, theirs):
    return median([a / b if a and b else None for a, b in zip(ours, theirs)])


def figure(value, unit):
    if value is None:
        return "–"
    return {"x": f"{value:.2f}×", "%": f"{value:.0%}", "points": f"{100 * value:+.1f} points",
            "time": f"{value:.2f} of its time",
            "bytes": f"{value / 1e6:.0f} MB"}[unit]


class Table:
    def __init__(self):
        self.rows = []

    def add(self, key, what, least, aim, measured, unit, note="", smaller=False, least_text=None, aim_text=None,
            enough=False):
        """enough: counts as reached below `least`, because the limit of the machine is reached."""
        def reached(limit):
            return measured is not None and limit is not None and (measured <= limit if smaller else measured >= limit)
        verdict = ("–" if measured is None else "aim" if reached(aim) else "yes" if reached(least) else "limit"
                   if enough else "no")
        self.rows.append({"row": key, "what": what, "least": least, "aim": aim, "measured": measured, "unit": unit,
                          "reached": verdict,
                          "note": note})
        cells = [what, least_text or figure(least, unit), aim_text or figure(aim, unit), figure(measured, unit),
                 verdict, note]
        print("| " + " | ".join(cells) + " |", flush=True)

    @staticmethod
    def head():
        print("| what | least | aim | measured | reached | |\n|---|---|---|---|---|---|", flush=True)


# ---- Measuring ----

class Measuring:
    def __init__(self, options, models, python):
        self.options, self.models, self.python, self.raw = options, models, python, {}

    def model(self, name, peers):
        """Rounds in which every side reads 512 tokens and then writes 32 after 64 others → {side: {"prefill": [...],
        "decode": [...]}}."""
        wanted = [p for p in peers if p not in self.raw.get(name, {})]
        if name in self.raw and not wanted:
            return self.raw[name]
        path, threads = self.models.file(name), self.options.threads
        say(f"{TITLES[name]}: {', '.join(['rung', *peers])}, {self.options.rounds} rounds")
        workers = {side: Peer(side, self.python) for side in peers}
        for worker in workers.values():
            worker.load(path, threads)
        sides = {side: {"prefill": [], "decode": []} for side in ["rung", *peers]}
        sides["rung"].update(share=[], read=[])
        for _ in range(self.options.rounds):
            ours = bench(path, threads)
            sides["rung"]["prefill"].append(ours["prefill"]["tokens_per_second"])
            sides["rung"]["decode"].append(ours["decode"]["tokens_per_second"])
            sides["rung"]["share"].append(ours["decode"]["bandwidth_share"])
            sides["rung"]["read"].append(ours["decode"]["in_turns"]["read_gb_per_s"])
            for side, worker in workers.items():
                sides[side]["prefill"].append(worker.best(do="prefill", tokens=PROMPT))
                sides[side]["decode"].append(worker.best(do="write", context=NEAR, steps=STEPS))
        for side, worker in workers.items():
            sides[side]["error"] = worker.error
            worker.close()
        self.raw[name] = sides
        return sides

    def speeds(self, sides, part):
        return ", ".join(f"{side} {median(values[part]):.0f}" if median(values[part])
                         else f"{side}: {values.get('error') or 'no'}"
                         for side, values in sides.items()) + " tok/s"


def share_rows(m, table, names):
    for name in names:
        sides, (least, aim) = m.model(name, peers_of(m, name)), SHARE[name.split("-", 1)[1]]
        table.add("share", f"decode, share of bandwidth, {TITLES[name]}", least, aim, median(sides["rung"]["share"]),
                  "%",
                  f"of {median(sides['rung']['read']):.1f} GB/s, read in turns")


def decode_rows(m, table, names):
    for name in names:
        sides = m.model(name, peers_of(m, name))
        bound = median(sides["rung"]["share"]) >= BOUND
        table.add("decode", f"decode against llama.cpp, {TITLES[name]}", DECODE[0], DECODE[1],
                  ratio(sides["rung"]["decode"], sides["llama.cpp"]["decode"]), "x",
                  m.speeds(sides, "decode") + (f"; at {BOUND:.0%} of bandwidth" if bound else ""), enough=bound)


def peer_rows(m, table, names):
    for name in names:
        sides = m.model(name, ["llama.cpp", "OpenVINO"])
        if median(sides["OpenVINO"]["prefill"]) is None:
            why = sides["OpenVINO"]["error"] or "no answer"
            table.add("peers", f"prefill against the faster peer, {TITLES[name]}", 1.1, 1.5, None, "x",
                      f"OpenVINO cannot load it: {why}"[:80])
            continue
        faster = [max(a or 0, b or 0) for a, b in zip(sides["llama.cpp"]["prefill"], sides["OpenVINO"]["prefill"])]
        table.add("peers", f"prefill against the faster peer, {TITLES[name]}", 1.1, 1.5,
                  ratio(sides["rung"]["prefill"], faster), "x",
                  m.speeds(sides, "prefill"))


def prefill_rows(m, table, names):
    for name in names:
        if name in PREFILL:
            sides, (least, aim) = m.model(name, peers_of(m, name)), PREFILL[name]
            table.add("prefill", f"prefill against llama.cpp, {TITLES[name]}", least, aim,
                      ratio(sides["rung"]["prefill"], sides["llama.cpp"]["prefill"]), "x", m.speeds(sides, "prefill"))


def int8_row(m, table, names):
    """Of AVX-512's dot products, also where there are faster kernels: whose peak is another."""
    path, title, processor = m.models.file(names[0]), f"{ROWS['int8']} (AVX-512 VNNI)", Path("/proc/cpuinfo")
    if processor.exists() and "avx512_vnni" in processor.read_text():
        say(f"share of the int8 peak, {m.options.rounds} rounds")
        shares = [rung("bench", "-m", path, "--json", "--repeat", 1, "--prompt-tokens", PROMPT, "--contexts", 1,
                       "--batches", 1,
                       "--decode-tokens", 1, "--verbs", threads=m.options.threads,
                       kernels="avx512vnni")["prefill"]["linear_peak_share"]
                  for _ in range(m.options.rounds)]
        table.add("int8", title, 0.55, 0.7, median(shares), "%", f"{TITLES[names[0]]}, its linear layers")
    else:
        table.add("int8", title, 0.55, 0.7, None, "%", "not measurable here: the processor has no AVX-512 VNNI")


def context_row(m, table, names):
    path, rounds = m.models.file(names[0]), []
    say(f"context {FAR} against {NEAR}, {m.options.rounds} rounds")
    for _ in range(m.options.rounds):
        near, far = bench(path, m.options.threads, contexts=(NEAR, FAR), prompt=1)["decodes"]
        rounds.append((near["bandwidth_share"], far["bandwidth_share"]))
    table.add("context", f"decode at {FAR} against {NEAR}, share of bandwidth, {TITLES[names[0]]}", -0.05, 0,
              median([b - a for a, b in rounds]), "points",
              f"{median([a for a, _ in rounds]):.0%} and {median([b for _, b in rounds]):.0%}")


def prompt_of(path, tokens):
    """Words that this model takes for so many tokens or a few more, its BOS included."""
    words = "one two three four five six seven eight nine ten red green blue black white grey high low near far".split()
    text, count = [], 0
    while count < tokens:
        text += [words[(len(text) + i) % len(words)] for i in range(max(1, (tokens - count) // 3))]
        done = subprocess.run([RUNG, "tokenize", "-m", path, "--json", " ".join(text)], capture_output=True, text=True,
                              check=True)
        count = len(json.loads(done.stdout)["ids"])
    return " ".join(text)


def warm(path):
    """Brings a file into the page cache; piece by piece, because Linux counts what a parent held as a peak of its
    children."""
    with path.open("rb") as file:
        while file.read(1 << 20):
            pass


def start_rows(m, table, names):
    for name in [n for n in names if n in QUICK]:
        path = m.models.file(name)
        warm(path)
        prompt = prompt_of(path, 16)
        say(f"start, {TITLES[name]}, {2 * m.options.rounds} rounds")
        ours, theirs = [], []
        for _ in range(2 * m.options.rounds):
            ours.append(run_and_wait([RUNG, "generate", "-m", path, "-n", 1, "--temperature", 0,
                                      "--threads", m.options.threads, prompt])[0])
            done = subprocess.run([m.python, __file__, "--first-token", path, prompt, str(m.options.threads)],
                                  capture_output=True, text=True, check=False)
            theirs.append(json.loads(done.stdout)["seconds"] if done.returncode == 0 else None)
        table.add("start", f"process start to first token, 16 tokens, {TITLES[name]}", 1, 0.5, ratio(ours, theirs),
                  "time",
                  f"{1e3 * median(ours):.0f} ms, llama.cpp {1e3 * median(theirs):.0f} ms (from opening its library)",
                  smaller=True)


def memory_rows(m, table, names):
    for name in names:
        path = m.models.file(name)
        shape = json.loads(subprocess.run([RUNG, "inspect", "-m", path, "--json"], capture_output=True, text=True,
                                          check=True).stdout)
        tokens = 512 + 32
        cache = shape["layers"] * 2 * shape["kv_heads"] * shape["head_dim"] * 2 * tokens  # f16
        text = prompt_of(path, 512)
        command = [RUNG, "generate", "-m", path, "-n", 32, "--temperature", 0, "--threads", m.options.threads, text]
        peak = median([run_and_wait(command)[1] for _ in range(3)])
        size = path.stat().st_size
        least, aim = 1.15 * size + cache + 24e6, size + cache + 24e6
        table.add("memory", f"peak resident memory, {TITLES[name]}", least, aim, peak, "bytes",
                  f"file {size / 1e6:.0f} MB, cache {cache / 1e6:.0f} MB", smaller=True)


def threads_row(m, table, names):
    rounds = []
    path = m.models.file(names[0])
    say(f"2 threads against 1, {m.options.rounds} rounds")
    for _ in range(m.options.rounds):
        two, one = (bench(path, n)["prefill"]["tokens_per_second"] for n in (2, 1))
        rounds.append((two, one))
    table.add("threads", f"2 threads against 1, prefill, {TITLES[names[0]]}", 1.85, 1.95,
              median([a / b for a, b in rounds]), "x",
              f"{median([a for a, _ in rounds]):.0f} and {median([b for _, b in rounds]):.0f} tok/s")


def peers_of(m, name):
    """All that this run will want of a model, so that it is measured once."""
    wanted = m.options.rows
    peers = ["llama.cpp"] if {"decode", "prefill", "peers"} & set(wanted) else []
    return peers + (["OpenVINO"] if "peers" in wanted else [])


def ensure_peers(python):
    if python:
        return python
    venv = HOME / "build/against"
    python = venv / "bin/python"
    if not (venv / "ready").exists():
        say("installing llama-cpp-python (compiled here, some minutes) and openvino-genai into build/against")
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        native = {**os.environ, "CMAKE_ARGS": "-DGGML_NATIVE=ON"}
        if shutil.which("clang++-19"):  # g++ 12 compiles llama.cpp's kernels for AMX into a program that crashes
            native.update(CC="clang-19", CXX="clang++-19")
        pip = [python, "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, "--no-binary", "llama-cpp-python", "llama-cpp-python"], check=True, env=native)
        subprocess.run([*pip, "openvino-genai", "openvino-tokenizers", "numpy", "gguf"], check=True)
        (venv / "ready").touch()
    return str(python)


def main():
    if sys.argv[1:2] == ["--serve"]:
        return serve(sys.argv[2])
    if sys.argv[1:2] == ["--first-token"]:
        return first_token(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=ROWS, help="a row; may be given several times")
    parser.add_argument("--model", action="append", choices=TITLES, help="a model; may be given several times")
    parser.add_argument("--list", action="store_true", help="names rows and models")
    parser.add_argument("--quick", action="store_true", help="three rounds, only SmolLM2 Q4_1 and Gemma 3")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity")
                        else os.cpu_count())
    parser.add_argument("--models", type=Path, default=HOME / "build/models", help="the folder where models are made")
    parser.add_argument("--python", default=os.environ.get("RUNG_AGAINST_PYTHON"),
                        help="an interpreter that has the peers already")
    parser.add_argument("--json", type=Path, help="every number, as JSON, into this file")
    options = parser.parse_args()
    if options.list:
        for key, text in [*ROWS.items(), *TITLES.items()]:
            print(f"{key:<14} {text}")
        return None
    if not RUNG.exists():
        raise SystemExit(f"{RUNG}: not built yet: run ./rung once")
    if options.quick:
        options.rounds = min(options.rounds, 3)
    options.rows = options.only or list(ROWS)
    names = options.model or (QUICK if options.quick else list(TITLES))
    python = ensure_peers(options.python)
    m, table = Measuring(options, Models(options.models, python), python), Table()
    table.head()
    for key, measure in {"share": share_rows, "decode": decode_rows, "peers": peer_rows, "prefill": prefill_rows,
                         "int8": int8_row,
                         "context": context_row, "start": start_rows, "memory": memory_rows,
                         "threads": threads_row}.items():
        if key in options.rows:
            measure(m, table, names)
    if options.json:
        everything = {"threads": options.threads, "rounds": options.rounds, "rows": table.rows, "runs": m.raw}
        options.json.write_text(json.dumps(everything, indent=1) + "\n")
    return None


if __name__ == "__main__":
    sys.exit(main())
