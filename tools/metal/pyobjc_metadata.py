"""What pyobjc knows of methods beyond what the system tells it: the _metadata.py of one of its frameworks, run against
a stub of the module that it talks to."""

import types

# Its own letters for what C has one type for: ^t is a pointer to text, Z a bool, n "in" and o "out".
PLAIN = {"^t": "*", "n^t": "*", "Z": "B", "o^@": "^@", "n^v": "^v", "N^v": "^v", "o^v": "^v"}


class Stub(types.ModuleType):
    arch = "arm64"

    def __init__(self):
        super().__init__("objc")
        self.rows = []

    def registerMetaDataForSelector(self, owner, selector, said):
        self.rows.append((owner.decode(), selector.decode(), said))

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *_, **__: None


def methods(path):
    """(owner, selector, encoding) of what it says; '.' stands for what it leaves to the system."""
    stub = Stub()
    with open(path, encoding="utf-8") as file:
        code = compile(file.read().replace("import objc, sys", "import sys"), path, "exec")
    import sys

    sys.modules["objc"] = stub
    try:
        exec(code, {"objc": stub, "__name__": "metadata"})
    except Exception:  # it ends where it meets classes of the system; what stands before is what is wanted
        pass
    finally:
        del sys.modules["objc"]

    def plain(said):
        text = said.get("type", ".")
        text = text.decode() if isinstance(text, bytes) else text
        return PLAIN.get(text, text)

    for owner, selector, said in stub.rows:
        arguments = said.get("arguments", {})
        each = [plain(arguments.get(2 + i, {})) for i in range(selector.count(":"))]
        yield owner, selector, plain(said.get("retval", {})) + "@:" + "".join(each)
