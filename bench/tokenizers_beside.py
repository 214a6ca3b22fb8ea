#!/usr/bin/env python3
"""Our tokenizers beside the official library: the same 10 MB of text, one thread each, megabytes a second.

The text is what Python's own library holds: code and documentation, cut or repeated to 10 MB (--text FILE takes
another).

    pip install tokenizers gguf
    cmake -S . -B build/release -DRUNG_BENCHMARKS=ON && ninja -C build/release bench_tokenizer
    python bench/tokenizers_beside.py [--text FILE] [NAME …]
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import sysconfig
import tempfile
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools/goldens"))
from official_tokenizers import PATHS, official  # noqa: E402

SIZE = 10_000_000


def library_text():
    text = ""
    for path in sorted(pathlib.Path(sysconfig.get_path("stdlib")).rglob("*.py")):
        if "site-packages" not in path.parts:
            text += path.read_text(encoding="utf-8", errors="ignore")
        if len(text) >= SIZE:
            break
    return (text * (SIZE // len(text) + 1)).encode()[:SIZE].decode("utf-8", "ignore")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--text", type=pathlib.Path)
    parser.add_argument("names", nargs="*", default=["smollm2", "qwen3", "llama3", "gemma3", "gemma3_gguf"])
    options = parser.parse_args()
    text = options.text.read_text(encoding="utf-8") if options.text else library_text()
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        for name in options.names:
            ours = json.loads(subprocess.check_output([ROOT / "build/release/bench/bench_tokenizer", PATHS[name],
                                                       file.name]))
            tokenizer = official(name)
            lines = text.splitlines(keepends=True)  # its fastest way: one long text is slower
            start = time.perf_counter()
            count = sum(len(e.ids) for e in (tokenizer.encode(line, add_special_tokens=False) for line in lines))
            theirs = len(text.encode()) / (time.perf_counter() - start) / 1e6
            print(f"{name}: ours {ours['megabytes_per_second']:.1f} MB/s ({ours['tokens']} tokens), official "
                  f"{theirs:.1f} MB/s "
                  f"({count} tokens by line), {ours['megabytes_per_second'] / theirs:.1f} times", flush=True)


if __name__ == "__main__":
    main()
