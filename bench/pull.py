"""How fast `rung pull` brings a file over loopback, beside what can be no faster: curl, which writes it, and openssl,
which hashes it. All in turns, so that a slow moment of the machine meets all of them.

    python3 bench/pull.py [--rung build/release/src/cli/rung] [--bytes 1000000000] [--rounds 5]

Needs nginx, curl and openssl (on Debian: apt-get install nginx-light curl openssl), and thrice the space.
"""

import argparse
import hashlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"
ROOT = Path(__file__).parents[1]


def make_hub(root: Path, size: int) -> Path:
    """A repository as files that a plain web server hands out: the listing, a configuration, `size` bytes of noise."""
    files = root / "bench/model/resolve" / COMMIT
    files.mkdir(parents=True)
    (files / "config.json").write_text("{}")
    weights, digest = files / "model.safetensors", hashlib.sha256()
    with open(weights, "wb") as file:
        for left in range(size, 0, -(1 << 20)):
            block = os.urandom(min(left, 1 << 20))
            digest.update(block)
            file.write(block)
    listing = root / "api/models/bench/model/revision"
    listing.mkdir(parents=True)
    (listing / "main").write_text(json.dumps({"sha": COMMIT, "siblings": [
        {"rfilename": "config.json", "size": 2, "blobId": hashlib.sha1(b"blob 2\0{}").hexdigest()},
        {"rfilename": "model.safetensors", "size": size, "blobId": "0" * 40,
         "lfs": {"sha256": digest.hexdigest(), "size": size}}]}))
    return weights


def start_nginx(root: Path, port: int) -> subprocess.Popen:
    config = root / "nginx.conf"
    config.write_text(f"""
daemon off; pid {root}/nginx.pid; error_log {root}/error.log; worker_processes 1; user {os.environ.get("USER", "root")};
events {{}}
http {{ access_log off; sendfile on; default_type application/octet-stream;
  client_body_temp_path {root}/t1; proxy_temp_path {root}/t2; fastcgi_temp_path {root}/t3; uwsgi_temp_path {root}/t4;
  scgi_temp_path {root}/t5;
  server {{ listen 127.0.0.1:{port}; root {root}; }} }}
""")
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    child = subprocess.Popen([nginx, "-c", str(config), "-p", str(root)], stderr=subprocess.DEVNULL)
    for _ in range(100):
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return child
        time.sleep(0.05)
    sys.exit("nginx does not start: " + (root / "error.log").read_text())


def timed(command: list, environment: dict | None = None) -> tuple[float, float]:
    """Seconds, and the most megabytes of memory that it had."""
    start = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                             env={**os.environ, **(environment or {})})
    errors = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        sys.exit(f"{command[0]}: {errors.decode()}")
    return time.monotonic() - start, usage.ru_maxrss / 1000


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    arguments.add_argument("--rung", default=str(ROOT / "build/release/src/cli/rung"))
    arguments.add_argument("--bytes", type=int, default=1_000_000_000)
    arguments.add_argument("--rounds", type=int, default=5)
    options = arguments.parse_args()

    with tempfile.TemporaryDirectory(prefix="rung-bench-") as folder:
        root = Path(folder)
        root.chmod(0o755)  # nginx's worker may be somebody else
        weights = make_hub(root, options.bytes)
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        nginx = start_nginx(root, port)
        url = f"http://127.0.0.1:{port}"
        file = f"{url}/bench/model/resolve/{COMMIT}/model.safetensors"
        environment = {"HF_ENDPOINT": url, "HF_HUB_CACHE": str(root / "cache"), "HF_TOKEN": "", "HF_HUB_OFFLINE": ""}
        commands = {
            "curl -o": ["curl", "-s", "-o", str(root / "copy"), file],
            "openssl dgst -sha256": ["openssl", "dgst", "-sha256", str(weights)],
            "rung pull": [options.rung, "pull", "bench/model"],
        }
        seconds, memory = {name: [] for name in commands}, 0.0
        try:
            for _ in range(options.rounds):
                for name, command in commands.items():
                    took, megabytes = timed(command, environment)
                    seconds[name].append(took)
                    if name == "rung pull":
                        memory = max(memory, megabytes)
                shutil.rmtree(root / "cache")
                (root / "copy").unlink()
        finally:
            nginx.terminate()
            nginx.wait()

        rate = {name: options.bytes / statistics.median(values) / 1e6 for name, values in seconds.items()}
        for name, value in rate.items():
            print(f"{name:<22} {value:7.0f} MB/s")
        slower = min(rate["curl -o"], rate["openssl dgst -sha256"])
        print(f"rung pull reaches {100 * rate['rung pull'] / slower:.0f}% of the slower of the two, in {memory:.0f} MB")


if __name__ == "__main__":
    main()
