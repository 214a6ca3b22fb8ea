"""Makes every golden anew from the official implementations, and writes them or compares them with what is committed.

    python3 tools/make_goldens.py            writes tests/golden/
    python3 tools/make_goldens.py --check    makes them aside and compares: the same files, names and ids; rows of
    numbers within 5e-5
    python3 tools/make_goldens.py models …   only these of tools/goldens/

Each program in tools/goldens/ makes a part of the tests/golden/ of the tree it lies in, so that a copy of tools/ makes
them aside; its head names what it needs (pip install torch transformers accelerate tokenizers safetensors gguf jinja2
numpy sentencepiece protobuf llama-cpp-python serves them all). One that needs a model which is not in build/downloads
says so and makes nothing.
"""

import argparse
import json
import math
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import gguf
import numpy as np
import safetensors.torch

ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / "tests/golden"
READS = {"perplexity": "models"}  # what a part reads that another part makes
TOLERANCE = 5e-5  # the official implementation differs from itself by 1.4e-5 between instruction sets


def programs() -> list[str]:
    return [p.stem for p in sorted((ROOT / "tools/goldens").glob("*.py")) if "__main__" in p.read_text()]


def rows_differ(a: np.ndarray, b: np.ndarray) -> bool:
    if a.shape != b.shape:
        return True
    a, b = (x.astype(np.float64).reshape(-1, x.shape[-1] if x.ndim else 1) for x in (a, b))
    return bool((np.linalg.norm(a - b, axis=1) > TOLERANCE * np.linalg.norm(b, axis=1)).any())


def documents_differ(a, b) -> bool:
    """Numbers with a fraction may move by the tolerance; everything else is equal, but versions and hashes of what was
    installed."""
    if isinstance(a, dict) and isinstance(b, dict):
        skip = {"official", "sha256", "transformers_version"}
        return a.keys() - skip != b.keys() - skip or any(documents_differ(a[k], b[k]) for k in a.keys() - skip)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) != len(b) or any(map(documents_differ, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return not (a == b or math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=1e-12))
    return a != b


def file_differs(made: Path, committed: Path) -> bool:
    if made.read_bytes() == committed.read_bytes():
        return False
    if made.suffix == ".safetensors":
        a, b = ({name: tensor.float().numpy() for name, tensor in safetensors.torch.load_file(p).items()} for p
                in (made, committed))
        return list(a) != list(b) or any(rows_differ(a[name], b[name]) for name in a)
    if made.suffix == ".gguf":
        a, b = ([(t.name, t.tensor_type, t.data.astype(np.float32)) for t in gguf.GGUFReader(p).tensors] for p
                in (made, committed))
        return [x[:2] for x in a] != [x[:2] for x in b] or any(rows_differ(x[2], y[2]) for x, y in zip(a, b))
    if made.suffix == ".json":
        return documents_differ(json.loads(made.read_text()), json.loads(committed.read_text()))
    if made.suffix == ".jsonl":
        return documents_differ(*([json.loads(line) for line in p.read_text().splitlines()] for p in (made, committed)))
    return True


def lay_aside(tree: Path) -> Path:
    """Lays a copy of tools/ into an empty tree, with what its programs read beside it; returns the tests/golden/ that
    they will fill."""
    shutil.copytree(ROOT / "tools", tree / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    (tree / "build").mkdir()
    (tree / "build/downloads").symlink_to(ROOT / "build/downloads")
    (tree / "models").symlink_to(ROOT / "models")
    (tree / "tests/golden").mkdir(parents=True)
    return tree / "tests/golden"


def compare(made: Path, whole: bool) -> list[str]:
    """What differs between the tree that was made and the committed one, in the folders that were made (`whole`: by all
    programs)."""
    problems = []
    for folder in made.glob("*"):
        if folder.is_symlink():  # committed, and only read
            continue
        files = {p.relative_to(made) for p in folder.rglob("*") if p.is_file()}
        committed = {p.relative_to(GOLDEN) for p in (GOLDEN / folder.name).rglob("*") if p.is_file()}
        problems += [f"{p}: made anew, but not committed" for p in sorted(files - committed)]
        problems += [f"{p}: committed, but not made" for p in sorted(committed - files) if whole]
        differ = [p for p in sorted(files & committed) if file_differs(made / p, GOLDEN / p)]
        problems += [f"{p}: differs" for p in differ]
        print(f"  {folder.name}: {len(files & committed)} files compared, {len(differ)} differ", flush=True)
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with what is committed, write nothing")
    parser.add_argument("parts", nargs="*", help="names of scripts in tools/goldens/; default: all")
    arguments = parser.parse_args()
    known = programs()
    if unknown := set(arguments.parts) - set(known):
        parser.error(f"no such part: {', '.join(unknown)} (known: {', '.join(known)})")
    problems = []
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch) if arguments.check else ROOT
        made = lay_aside(tree) if arguments.check else GOLDEN
        parts = arguments.parts or known
        for other in {READS[part] for part in parts if part in READS} - set(parts):
            if arguments.check:
                (made / other).symlink_to(GOLDEN / other)
        for part in parts:
            print(f"{part} …", flush=True)
            program = tree / "tools/goldens" / f"{part}.py"
            if subprocess.run([sys.executable, program], check=False, cwd=tree).returncode != 0:
                problems.append(f"tools/goldens/{part}.py failed")
        if arguments.check:
            problems += compare(made, not arguments.parts)
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
