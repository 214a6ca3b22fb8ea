"""A hub of our own on loopback, which behaves as the public one: its API, redirects, ranges, etags, hashes of large
files, gated and private repositories; and faults on demand.

    python3 tests/hub/hub.py FOLDER

FOLDER/owner/name/ holds a repository's files. Prints {"url": …, "cdn": …, "tls": …, "certificate": …} first (tls: the
same hub over TLS, where there is an openssl; its certificate is a file that one must be told to trust); then each line
of standard input is a command, a JSON object, answered by a line:

    {"do": "set", NAME: VALUE, …}   the faults below, until they are set anew; answers {}
    {"do": "log"}                   the requests since the last time: [{"method", "host", "path", "range", "token"}, …]
    {"do": "held"}                  waits until a transfer is held; then it stays so; answers {"sent": bytes}
    {"do": "release"}               lets it go on

Faults, each off where it is null:

    gated       the repository is for those who accepted its terms; `token` is of one who did
    private     the repository is seen with `token` alone
    token       the one token that is valid
    wrong       a file whose bytes arrive with one of them changed
    unhashed    the listing says neither sizes nor hashes
    cut         of the next large body so many bytes are sent, then the connection is closed; as often as `cuts` says
    fail        a status that the next `fails` requests for files get
    hold        after so many bytes of files, all together, nothing more is sent until "release"
    no_ranges   whole files are sent, whatever part was asked for
    longer      every body is followed by bytes that nobody announced
    redirect    where requests for large files are sent on to, instead of to the second host
    names       more names in the listing, of no files
    sizes       what the listing says of some files' sizes: {"model.safetensors": 5}
    stall       of the next large body so many bytes are sent, then nothing, until the other side goes away

Asked for a whole address, or to CONNECT, it is a proxy: one that knows no host but this machine.
"""

import hashlib
import json
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

ROOT = Path(sys.argv[1])
COMMIT = {}  # "owner/name" → revision → commit
LARGE = 10_000  # bytes from which a file is one of git-lfs, and comes from the second host
PIECE = 4096


def commit_of(repository: str) -> str:
    """A hash of all names and contents: another one where anything changed."""
    digest = hashlib.sha1(repository.encode())
    for path in sorted((ROOT / repository).rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def git_blob(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class Faults:
    """What is on now, what was asked, and where a held transfer waits."""

    def __init__(self) -> None:
        self.now: dict = {}
        self.log: list = []
        self.sent = 0
        self.lock = threading.Condition()
        self.held = False
        self.released = 0

    def get(self, name: str):
        return self.now.get(name)

    def take(self, name: str, count: str):
        """The value of a fault that comes `count` times."""
        with self.lock:
            if self.now.get(name) is None or self.now.get(count, 1) <= 0:
                return None
            self.now[count] = self.now.get(count, 1) - 1
            return self.now[name]

    def command(self, line: dict):
        with self.lock:
            if line["do"] == "set":
                self.now.update({k: v for k, v in line.items() if k != "do"})
                if "hold" in line:
                    self.sent, self.held = 0, False
                return {}
            if line["do"] == "log":
                log, self.log = self.log, []
                return log
            if line["do"] == "held":
                self.lock.wait_for(lambda: self.held)
                return {"sent": self.sent}
            if line["do"] == "release":
                self.now["hold"], self.held = None, False
                self.lock.notify_all()
                return {}
        raise ValueError(line)

    def may_send(self, count: int) -> int:
        """How many of so many bytes may go now; waits where none may."""
        with self.lock:
            while self.now.get("hold") is not None and self.sent >= self.now["hold"]:
                self.held = True
                self.lock.notify_all()
                self.lock.wait()
            if self.now.get("hold") is not None:
                count = min(count, self.now["hold"] - self.sent)
            self.sent += count
            return count


FAULTS = Faults()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    is_cdn = False

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.answer()

    def do_HEAD(self):
        self.answer()

    def do_CONNECT(self):
        """A tunnel to where one of our servers listens, whatever host was asked for; bytes go both ways, unread."""
        with FAULTS.lock:
            FAULTS.log.append({"method": "CONNECT", "host": "proxy", "path": self.path, "range": None,
                               "token": self.headers.get("Authorization")})
        with socket.create_connection(("127.0.0.1", int(self.path.rpartition(":")[2]))) as there:
            self.send_response(200)
            self.end_headers()
            back = threading.Thread(target=relay, args=(there, self.connection), daemon=True)
            back.start()
            relay(self.connection, there)
            back.join()
        self.close_connection = True

    def answer(self) -> None:
        url = urlsplit(self.path)
        with FAULTS.lock:
            FAULTS.log.append({"method": self.command, "host": "cdn" if self.is_cdn else "hub", "path": self.path,
                               "range": self.headers.get("Range"), "token": self.headers.get("Authorization")})
        try:
            if self.is_cdn:
                self.send_large(url)
            elif url.path == "/api/models":
                self.send_search(parse_qs(url.query))
            elif url.path.startswith("/api/models/"):
                self.send_listing(url)
            else:
                self.send_resolved(url)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def send(self, status: int, body: bytes = b"", headers: dict | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def refuse(self, status: int, code: str | None, message: str) -> None:
        headers = {"X-Error-Message": message}
        if code:
            headers["X-Error-Code"] = code
        self.send(status, json.dumps({"error": message}).encode(), headers)

    def is_refused(self, repository: str, is_file: bool) -> bool:
        """As the public hub: what one may not see looks as if it were not there."""
        given = self.headers.get("Authorization")
        known = given == f"Bearer {FAULTS.get('token')}" if FAULTS.get("token") else False
        if given is not None and FAULTS.get("token") and not known:
            self.refuse(401, None, "Invalid credentials in Authorization header")
            return True
        if not (ROOT / repository).is_dir() or (FAULTS.get("private") and not known):
            self.refuse(404 if known else 401, "RepoNotFound", "Repository not found")
            return True
        if FAULTS.get("gated") and is_file and not known:
            self.refuse(401 if given is None else 403, "GatedRepo",
                        f"Access to model {repository} is restricted. You must be authenticated to access it.")
            return True
        return False

    def send_listing(self, url) -> None:
        parts = url.path.split("/")[3:]  # owner/name/revision/REV
        repository = "/".join(parts[:2])
        revision = unquote(parts[3]) if len(parts) > 3 else "main"
        if self.is_refused(repository, False):
            return
        commit = commit_of(repository)
        if revision not in ("main", "refs/pr/1", commit):
            return self.refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        if len(parts) > 2 and parts[2] == "tree":
            return self.send_tree(repository)
        siblings = []
        with_blobs = "blobs=true" in url.query and not FAULTS.get("unhashed")
        for path in sorted((ROOT / repository).rglob("*")):
            if not path.is_file():
                continue
            content = path.read_bytes()
            file = {"rfilename": path.relative_to(ROOT / repository).as_posix()}
            if with_blobs:
                file |= {"size": len(content), "blobId": git_blob(content)}
            if with_blobs and len(content) >= LARGE:
                file["blobId"] = git_blob(b"version of a pointer")
                file["lfs"] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 135}
            if with_blobs and file["rfilename"] in (FAULTS.get("sizes") or {}):
                file["size"] = file.get("lfs", {})["size"] = FAULTS.get("sizes")[file["rfilename"]]
            siblings.append(file)
        siblings += [{"rfilename": name, "size": 1, "blobId": "0" * 40} for name in FAULTS.get("names") or []]
        body = {"_id": "0", "id": repository, "modelId": repository, "sha": commit, "private": False,
                "gated": "manual" if FAULTS.get("gated") else False, "tags": ["safetensors"], "siblings": siblings}
        self.send(200, json.dumps(body).encode(), {"Content-Type": "application/json"})

    def send_tree(self, repository: str) -> None:
        """The other listing, which huggingface_hub 2 asks for."""
        entries = []
        for path in sorted((ROOT / repository).rglob("*")):
            if path.is_file():
                content = path.read_bytes()
                entry = {"type": "file", "path": path.relative_to(ROOT / repository).as_posix(), "size": len(content),
                         "oid": git_blob(content)}
                if len(content) >= LARGE:
                    entry["lfs"] = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content),
                                    "pointerSize": 135}
                entries.append(entry)
        self.send(200, json.dumps(entries).encode(), {"Content-Type": "application/json"})

    def send_search(self, query: dict) -> None:
        text = query.get("search", [""])[0].lower()
        found = []
        for folder in sorted(ROOT.glob("*/*")):
            name = folder.relative_to(ROOT).as_posix()
            if text in name.lower():
                tags = [t for t, ending in (("safetensors", "safetensors"), ("gguf", "gguf"))
                        if any(folder.glob(f"*.{ending}"))]
                found.append({"id": name, "downloads": 1234, "likes": 5, "tags": tags})
        self.send(200, json.dumps(found).encode(), {"Content-Type": "application/json"})

    def send_resolved(self, url) -> None:
        parts = url.path.split("/")  # /owner/name/resolve/REV/FILE
        if len(parts) < 6 or parts[3] != "resolve":
            return self.refuse(404, None, "Sorry, we can't find the page you are looking for.")
        repository, revision, file = "/".join(parts[1:3]), unquote(parts[4]), unquote("/".join(parts[5:]))
        if self.is_refused(repository, True):
            return
        commit = commit_of(repository)
        if revision not in ("main", "refs/pr/1", commit):
            return self.refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        path = ROOT / repository / file
        if not path.is_file():
            return self.refuse(404, "EntryNotFound", "Entry not found")
        if status := FAULTS.take("fail", "fails"):
            return self.refuse(status, None, "Something went wrong")
        content = path.read_bytes()
        if len(content) < LARGE:
            return self.send_part(file, content, {"X-Repo-Commit": commit, "ETag": f'"{git_blob(content)}"'})
        location = FAULTS.get("redirect") or f"{CDN}/{repository}/{quote(file)}?signature=secret"
        self.send(302, b"", {"X-Repo-Commit": commit, "X-Linked-Size": str(len(content)), "Location": location,
                             "X-Linked-Etag": f'"{hashlib.sha256(content).hexdigest()}"', "ETag": '"of-the-redirect"'})

    def send_large(self, url) -> None:
        path = ROOT / unquote(url.path[1:])
        if "Authorization" in self.headers:  # as the stores of the public hub do
            return self.refuse(400, None, "Only one auth mechanism allowed")
        if not path.is_file():
            return self.refuse(404, None, "no such key")
        self.send_part(path.name, path.read_bytes(), {"ETag": '"a-hash-of-the-store"'})

    def send_part(self, file: str, content: bytes, headers: dict) -> None:
        if FAULTS.get("wrong") == file:
            content = content[:-1] + bytes([content[-1] ^ 1])
        status, begin, end = 200, 0, len(content)
        asked = self.headers.get("Range")
        if asked and not FAULTS.get("no_ranges"):
            first, last = asked.removeprefix("bytes=").split("-")
            begin, end = int(first), min(int(last) + 1 if last else len(content), len(content))
            if begin >= len(content):
                return self.send(416, b"", {"Content-Range": f"bytes */{len(content)}"})
            status = 206
            headers["Content-Range"] = f"bytes {begin}-{end - 1}/{len(content)}"
        more = b"more" if FAULTS.get("longer") else b""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(end - begin + len(more)))
        self.end_headers()
        if self.command != "HEAD":
            self.send_bytes(content[begin:end] + more)

    def send_bytes(self, content: bytes) -> None:
        cut = FAULTS.take("cut", "cuts") if self.is_cdn else None
        stall = FAULTS.take("stall", "stalls") if self.is_cdn else None
        stop = cut if cut is not None else stall
        at = 0
        while at < len(content):
            if stop is not None and at >= stop:
                self.wfile.flush()
                if stall is not None:
                    self.rfile.read(1)  # until the other side goes away
                self.close_connection = True
                self.connection.close()
                return
            count = FAULTS.may_send(min(PIECE, len(content) - at, (stop - at) if stop is not None else PIECE))
            self.wfile.write(content[at:at + count])
            self.wfile.flush()
            at += count


def relay(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(PIECE):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:  # one of the two went away
        pass


class Cdn(Handler):
    is_cdn = True


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):  # the other side went away: that is what is tested
        pass


def main() -> None:
    global CDN
    cdn = Server(("127.0.0.1", 0), Cdn)
    hub = Server(("127.0.0.1", 0), Handler)
    CDN = f"http://127.0.0.1:{cdn.server_port}"
    servers, addresses = [cdn, hub], {"url": f"http://127.0.0.1:{hub.server_port}", "cdn": CDN, "tls": ""}
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = Path(folder) / "certificate", Path(folder) / "key"
        made = shutil.which("openssl") and subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "1",
             "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
            stdin=subprocess.DEVNULL, capture_output=True).returncode == 0
        if made:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
            tls = Server(("127.0.0.1", 0), Handler)
            tls.socket = context.wrap_socket(tls.socket, server_side=True)
            servers.append(tls)
            addresses |= {"tls": f"https://127.0.0.1:{tls.server_port}", "certificate": str(certificate)}
        for server in servers:
            threading.Thread(target=server.serve_forever, daemon=True).start()
        print(json.dumps(addresses), flush=True)
        for line in sys.stdin:
            print(json.dumps(FAULTS.command(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
