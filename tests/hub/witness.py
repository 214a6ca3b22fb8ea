"""huggingface_hub as the second witness: what it wrote we read, what we wrote it reads, neither brings anything twice.

    PYTHONPATH=build/witness/2 python3 tests/hub/witness.py build/release/src/cli/rung

Says what it found, one line a claim; exit status 1 where one does not hold. Which version is asked, PYTHONPATH says
(pip install --target build/witness/2 'huggingface_hub>=2').
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

RUNG = str(Path(sys.argv[1]).resolve())
FOLDER = Path(tempfile.mkdtemp(prefix="rung-witness-"))
ROOT = Path(__file__).parents[2]
failures = []


def claim(what: str, holds: bool) -> None:
    print(("ok      " if holds else "FAILED  ") + what)
    if not holds:
        failures.append(what)


class Hub:
    def __init__(self, repositories: Path) -> None:
        self.child = subprocess.Popen([sys.executable, "-B", str(ROOT / "tests/hub/hub.py"), str(repositories)],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = json.loads(self.child.stdout.readline())["url"]

    def command(self, **line):
        self.child.stdin.write(json.dumps(line) + "\n")
        self.child.stdin.flush()
        return json.loads(self.child.stdout.readline())

    def bodies(self) -> list:
        """The files that were sent since the last time."""
        return [r["path"] for r in self.command(do="log") if r["method"] == "GET" and "/api/" not in r["path"]]


def main() -> None:
    repositories = FOLDER / "repositories"
    for name, files in {"tiny/model": {"config.json": b'{"model_type": "llama"}', "tokenizer.json": b"{}",
                                       "model.safetensors": os.urandom(300_000),
                                       "additional_chat_templates/a.jinja": b"a"},
                        "tiny/quants": {"m-Q8_0.gguf": os.urandom(100_000),
                                        "m-Q4_K_M.gguf": os.urandom(50_000)}}.items():
        for file, content in files.items():
            path = repositories / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    hub = Hub(repositories)
    ours, theirs = FOLDER / "ours", FOLDER / "theirs"
    os.environ |= {"HF_ENDPOINT": hub.url, "HF_TOKEN_PATH": "/dev/null", "NO_PROXY": "*",
                   "HF_HOME": str(FOLDER / "home"),
                   "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}

    import huggingface_hub
    from huggingface_hub import hf_hub_download, scan_cache_dir, snapshot_download
    print("huggingface_hub", huggingface_hub.__version__)

    def rung(cache: Path, *arguments: str) -> str:
        done = subprocess.run([RUNG, *arguments], env={**os.environ, "HF_HUB_CACHE": str(cache)}, capture_output=True,
                              text=True)
        return done.stdout if done.returncode == 0 else f"status {done.returncode}: {done.stderr}"

    # what we wrote
    pulled = json.loads(rung(ours, "pull", "--json", "tiny/model"))
    rung(ours, "pull", "tiny/quants:Q8_0")
    hub.bodies()
    claim("it finds our snapshot without asking anybody",
          snapshot_download("tiny/model", cache_dir=ours, local_files_only=True) == pulled["path"])
    path = hf_hub_download("tiny/model", "model.safetensors", cache_dir=ours)
    claim("it takes our weights",
          Path(path).read_bytes() == (repositories / "tiny/model/model.safetensors").read_bytes())
    snapshot_download("tiny/model", cache_dir=ours)
    claim("and brings none of them again", hub.bodies() == [])
    hf_hub_download("tiny/quants", "m-Q4_K_M.gguf", cache_dir=ours)
    claim("beside ours it brings another file", len(hub.bodies()) == 1)
    scanned = scan_cache_dir(ours)
    claim("its scan is content",
          not scanned.warnings and {r.repo_id for r in scanned.repos} == {"tiny/model", "tiny/quants"})
    claim("and counts as we do", {r.repo_id: r.size_on_disk for r in scanned.repos} ==
          {m["name"]: m["bytes"] for m in json.loads(rung(ours, "pull", "--list", "--json"))["hub"]})

    # what it wrote
    snapshot = snapshot_download("tiny/model", cache_dir=theirs)
    hf_hub_download("tiny/quants", "m-Q8_0.gguf", cache_dir=theirs)
    hub.bodies()
    again = json.loads(rung(theirs, "pull", "--json", "tiny/model"))
    claim("we find its snapshot", again["path"] == snapshot)
    rung(theirs, "pull", "tiny/quants:Q8_0")
    claim("and bring nothing again", again["brought"] == 0 and hub.bodies() == [])
    claim("both write the same", tree(ours / "models--tiny--model") == tree(theirs / "models--tiny--model"))

    # half of it
    weights = next(f["hash"] for f in again["files"] if f["name"] == "model.safetensors")
    blob = theirs / "models--tiny--model/blobs" / weights
    content = blob.read_bytes()
    blob.unlink()
    blob.with_name(blob.name + ".incomplete").write_bytes(content[:100_000])
    rung(theirs, "pull", "tiny/model")
    claim("we complete what it began", blob.read_bytes() == content)

    # removing
    two_hops(theirs, "tiny/model", "tiny/quants", repositories)
    scanned = scan_cache_dir(ours)
    scanned.delete_revisions(*[v.commit_hash for r in scanned.repos for v in r.revisions]).execute()
    claim("it removes what we wrote", not list(ours.glob("models--*")))
    print(rung(theirs, "pull", "--remove", "tiny/model", "--remove", "tiny/quants"), end="")
    scanned = scan_cache_dir(theirs)
    claim("we remove what it wrote", not scanned.warnings and not scanned.repos)
    hub.child.stdin.close()
    hub.child.wait()


def tree(folder: Path) -> dict:
    """Names, links and contents, without its list of the repository's files, which no model needs to run."""
    return {p.relative_to(folder).as_posix(): os.readlink(p) if p.is_symlink() else p.read_bytes()
            for p in folder.rglob("*") if (p.is_symlink() or p.is_file()) and "trees" not in p.parts}


def two_hops(cache: Path, first: str, second: str, repositories: Path) -> None:
    """Blobs that are links into the store that repositories share, which version 2 makes."""
    try:
        from huggingface_hub.utils import _shared_blobs
    except ImportError:
        return
    xet = "ab" + "0" * 62
    shared = []
    for name in (first, second):
        folder = cache / ("models--" + name.replace("/", "--"))
        link = next(p for p in folder.glob("snapshots/*/*") if p.suffix in (".safetensors", ".gguf"))
        blob = folder / "blobs" / Path(os.readlink(link)).name
        blob.write_bytes(b"shared" * 1000)
        shared.append(_shared_blobs.publish_blob_to_shared_store(blob_path=str(blob), xet_hash=xet, cache_dir=cache,
                                                                 expected_size=6000) and blob.is_symlink())
    payload = cache / "blobs/ab" / xet
    claim("it shares a payload between two repositories", all(shared) and payload.is_file())
    env = {**os.environ, "HF_HUB_CACHE": str(cache)}
    subprocess.run([RUNG, "pull", "--remove", second], env=env, stdout=subprocess.DEVNULL, check=True)
    claim("we remove one of them, and the payload stays",
          payload.is_file() and not (cache / "models--tiny--quants").exists())
    from huggingface_hub import hf_hub_download
    hf_hub_download(second, "m-Q8_0.gguf", cache_dir=cache)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    try:
        main()
    finally:
        shutil.rmtree(FOLDER)
    sys.exit(1 if failures else 0)
