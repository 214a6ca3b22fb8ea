#!/usr/bin/env python3
"""Makes tests/metal/selectors.tsv: what messages to Metal are, by at least two readers of Apple's headers that agree.
usage: make_selectors.py [--check]

Nobody here has Apple's headers, but several have read them and published what they found:
    compiled    pyobjc-framework-Metal (PyPI, for macOS): the encodings that Apple's compiler wrote: mach_o.py
    metal-cpp   Apple's own C++, in mlx-metal (PyPI, for macOS): metal_cpp.py
    objc2       objc2-metal and objc2-foundation (crates.io): objc2.py
    metadata    pyobjc-framework-Cocoa (PyPI, for macOS), what the system does not tell it: pyobjc_metadata.py
Where two know a method and differ, it is left out, and told. Needs pip and cargo, and a network."""

import os
import re
import subprocess
import sys
import tempfile
import zipfile

import mach_o
import metal_cpp
import objc2
import pyobjc_metadata

HERE = os.path.dirname(os.path.abspath(__file__))
TABLE = os.path.join(HERE, "../../tests/metal/selectors.tsv")
WHEELS = {"mlx-metal": "0.32.4", "pyobjc-framework-Metal": "12.2.2", "pyobjc-framework-Cocoa": "13.0"}
CRATES = {"objc2-metal": "0.3.2", "objc2-foundation": "0.3.2"}
PLATFORMS = ("macosx_14_0_arm64", "macosx_11_0_universal2", "macosx_10_13_universal2")

# Of these classes and protocols, everything.
WHOLE = """MTLDevice MTLCommandQueue MTLCommandBuffer MTLCommandBufferDescriptor MTLCommandEncoder
MTLComputeCommandEncoder MTLLibrary MTLFunction MTLFunctionConstantValues MTLCompileOptions MTLComputePipelineState
MTLComputePipelineDescriptor MTLResource MTLBuffer MTLAllocation MTLFence MTLEvent MTLSharedEvent MTLResidencySet
MTLResidencySetDescriptor NSError""".split()
# Of Foundation's large ones, these.
PARTS = {
    "NSObject": "retain release autorelease respondsToSelector: description isEqual: hash",
    "NSString": "stringWithUTF8String: stringWithCString:encoding: UTF8String length",
    "NSArray": "count objectAtIndex:",
    "NSAutoreleasePool": "drain",
    "NSProcessInfo": "processInfo isOperatingSystemAtLeastVersion:",
}
# `new` is NSObject's: a class has it, and no header says so again. It is made of alloc and init.
WITH_NEW = """NSObject MTLCompileOptions MTLFunctionConstantValues MTLComputePipelineDescriptor
MTLResidencySetDescriptor""".split()


def run(*command, **more):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **more)


def wheel(name, folder):
    platforms = [word for p in PLATFORMS for word in ("--platform", p)]
    exact = f"{name}=={WHEELS[name]}"
    where = os.path.join(folder, name)
    run(sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", *platforms, "--only-binary=:all:",
        "--no-deps", "--python-version", "3.12", "-d", where, exact)  # fmt: skip
    (path,) = os.listdir(where)
    with zipfile.ZipFile(os.path.join(where, path)) as archive:
        archive.extractall(where)
    return where


def crates(folder):
    where = os.path.join(folder, "crates")
    os.makedirs(where)
    with open(os.path.join(where, "Cargo.toml"), "w", encoding="utf-8") as file:
        file.write('[package]\nname = "selectors"\nversion = "0.0.0"\nedition = "2021"\n[lib]\npath = "lib.rs"\n')
        file.write("[dependencies]\n")
        for name, version in CRATES.items():
            file.write(f'{name} = {{ version = "={version}", default-features = false }}\n')
    open(os.path.join(where, "lib.rs"), "w", encoding="utf-8").close()
    run("cargo", "vendor", "-q", "vendor", cwd=where)
    return [os.path.join(where, "vendor", name) for name in CRATES]


def find(folder, pattern):
    for place, _, names in os.walk(folder):
        for name in names:
            if re.search(pattern, os.path.join(place, name)):
                return os.path.join(place, name)
    raise SystemExit(f"{folder}: no {pattern}")


def plain(encoding):
    """Without what sources differ in and no register does: offsets, names of structs, const, oneway."""
    encoding = re.sub(r"(?<=[\w@^*:?}\]#])\d+", "", encoding)
    encoding = re.sub(r"\{\w*=", "{?=", encoding)
    return re.sub(r"[rnV]", "", encoding.replace("^?", "@?"))


def read(folder):
    """source → {(owner, kind, selector): encoding}, and the methods that give ownership, as far as it is told."""
    sources, owned = {"compiled": {}, "metal-cpp": {}, "objc2": {}, "metadata": {}}, {}
    compiled = find(wheel("pyobjc-framework-Metal", folder), r"Metal/_Metal\..*so$")
    for owner, kind, name, encoding in mach_o.methods(compiled):
        sources["compiled"][owner, kind, name] = plain(encoding)
    headers = os.path.dirname(os.path.dirname(find(wheel("mlx-metal", folder), r"Metal/MTLDevice\.hpp$")))
    for owner, kind, name, encoding in metal_cpp.methods(headers):
        sources["metal-cpp"].setdefault((owner, kind, name), plain(encoding))
    for owner, kind, name, encoding, gives in objc2.methods(crates(folder)):
        sources["objc2"].setdefault((owner, kind, name), plain(encoding))
        owned[owner, kind, name] = gives
    for owner, name, encoding in pyobjc_metadata.methods(
        find(wheel("pyobjc-framework-Cocoa", folder), r"/Foundation/_metadata\.py$")
    ):
        for kind in "+-":  # it does not say which
            sources["metadata"][owner, kind, name] = plain(encoding)
    return sources, owned


def agree(one, other):
    """Equal; '.' is what the metadata leaves open."""
    return re.fullmatch(re.escape(one).replace(r"\.", r"(?:\{[^}]*\}|\^*[\w@*#:]\??)"), other) is not None


def wanted(key):
    owner, _, name = key
    return owner in WHOLE or name in PARTS.get(owner, "").split()


def is_owned_by_name(name):
    """Cocoa's rule: alloc, new, copy and mutableCopy, alone or before a capital. What gives nothing gives none."""
    begins = re.match(r"(alloc|new|copy|mutableCopy)(?![a-z])", name)
    return begins is not None and not name.endswith("ompletionHandler:")


def rows(sources, owned):
    for key in sorted({key for source in sources.values() for key in source if wanted(key)}):
        said = {name: source[key] for name, source in sources.items() if key in source}
        full = {name: encoding for name, encoding in said.items() if name != "metadata"}
        if len(said) < 2 or not full:
            continue
        encoding = next(iter(full.values()))
        if any(not agree(other, encoding) for other in said.values()):
            print(f"left out, they differ: {' '.join(key)}: {said}", file=sys.stderr)
            continue
        owner, kind, name = key
        gives = is_owned_by_name(name)
        if kind == "-" and key in owned and owned[key] != gives and not name.startswith("init"):
            print(f"left out, whose it is differs: {' '.join(key)}", file=sys.stderr)
            continue
        yield owner, kind, name, encoding, "owned" if gives else "-", ",".join(said)
    has_new = {owner for owner, kind, name in sources["objc2"] if (kind, name) == ("+", "new")}
    for owner in WITH_NEW:
        if (owner in has_new or owner == "NSObject") and ("NSObject", "-", "init") in sources["metal-cpp"]:
            yield owner, "+", "new", "@@:", "owned", "objc2,metal-cpp"


def main():
    with tempfile.TemporaryDirectory() as folder:
        sources, owned = read(folder)
    versions = ", ".join(f"{n} {v}" for n, v in {**WHEELS, **CRATES}.items())
    lines = [
        "# Generated by tools/metal/make_selectors.py: messages to Metal, as two readers of Apple's headers agree",
        f"# {versions}",
        "# owner\tto the class (+) or an object (-)\tselector\tencoding, without const\tis it the caller's?\tsources",
    ]
    lines += ["\t".join(row) for row in sorted(rows(sources, owned))]
    text = "\n".join(lines) + "\n"
    if "--check" in sys.argv:
        with open(TABLE, encoding="utf-8") as file:
            if file.read() != text:
                raise SystemExit("tests/metal/selectors.tsv: not what its sources say")
        return
    with open(TABLE, "w", encoding="utf-8") as file:
        file.write(text)
    print(f"{len(lines) - 3} messages")


if __name__ == "__main__":
    main()
