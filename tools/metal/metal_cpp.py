"""Methods out of Apple's own C++ for Metal (metal-cpp): each inline function names its selector and has its types."""

import glob
import re

from commas import parts_of

PRIMITIVE = {
    "void": "v", "bool": "B", "char": "c", "unsigned char": "C", "short": "s", "unsigned short": "S", "int": "i",
    "unsigned int": "I", "long": "q", "unsigned long": "Q", "long long": "q", "unsigned long long": "Q", "float": "f",
    "double": "d", "uint8_t": "C", "int32_t": "i", "uint32_t": "I", "int64_t": "q", "uint64_t": "Q", "uintptr_t": "Q",
    "UInteger": "Q", "Integer": "q", "TimeInterval": "d", "CFTimeInterval": "d", "GPUAddress": "Q", "Timestamp": "Q",
    "unichar": "S", "SEL": ":", "ErrorDomain": "@", "Range": "{?=QQ}", "kern_return_t": "i", "OSType": "I",
    "MTLSharedEventNotificationBlock": "@?", "SharedEventNotificationBlock": "@?",
}  # fmt: skip
SELECTOR = re.compile(r'_(?:MTL|NS)_PRIVATE_DEF_SEL\(\s*(\w+),\s*"([^"]+)"\)')
ENUM = re.compile(r"_(?:MTL|NS|MTL4)_(?:ENUM|OPTIONS)\(\s*([\w:]+),\s*(\w+)\s*\)")
FUNCTION = re.compile(
    r"_(?:MTL|NS)_INLINE\s+([^;{}]*?)\b((?:MTL4?|NS)::)(\w+)(?:<[^>]*>)?::(\w+)\(([^{}]*?)\)\s*(const)?\s*"
    r"\{(.*?)\n\}",
    re.S,
)
# A template's base: retain, release, autorelease, alloc, init stand here once for all classes.
COMMON = {"Referencing": "NSObject", "Copying": "NSCopying"}


class Types:
    def __init__(self, texts):
        self.enums = {"FastMathEnabled": "B"}
        self.structs, self.classes = {}, set()
        for text in texts:
            for base, name in ENUM.findall(text):
                self.enums[name] = PRIMITIVE.get(base.split("::")[-1], "unknown " + base)
            for name, body in re.findall(r"struct (\w+)\s*\{(.*?)\n\}", text, re.S):
                fields = [re.match(r"\s*([\w:]+)\s+([\w, ]+);", line) for line in body.splitlines()]
                self.structs.setdefault(name, [(f[1], f[2].count(",") + 1) for f in fields if f])
            self.classes.update(re.findall(r"class (\w+) : public", text))

    def plain(self, cpp):
        name = cpp.split("::")[-1]
        if cpp in PRIMITIVE or name in PRIMITIVE:
            return PRIMITIVE.get(cpp) or PRIMITIVE[name]
        if name in self.enums:
            return self.enums[name]
        if self.structs.get(name) and name not in self.classes:
            return "{?=" + "".join((self.plain(t) or "?") * n for t, n in self.structs[name]) + "}"
        return None

    def encoding(self, cpp):
        cpp = re.sub(r"\s+", " ", re.sub(r"\bclass\b", "", cpp)).strip()
        if "(^" in cpp or ("*" not in cpp and re.search(r"(Handler|Block|Function|std::function.*)$", cpp)):
            return "@?"
        if "Autoreleased" in cpp:  # an alias for a pointer to an object, of which a pointer is taken
            return "^@"
        is_constant = cpp.startswith("const ")
        bare = re.sub(r"\bconst\b", "", cpp)
        stars = bare.count("*") + bare.count("[]")
        base = re.sub(r"[*\[\]]", "", bare).strip()
        if stars == 0:
            return self.plain(base) or "unknown " + base
        r = "r" if is_constant else ""
        if base == "char" and stars == 1:
            return r + "*"
        plain = self.plain(base)
        if plain:
            return r + "^" * stars + plain
        return "@" if stars == 1 else r + "^@"


def parameters(text):
    return [part.split("=")[0].strip() for part in parts_of(text) if part != "void"]


def type_of(parameter):
    """Without the parameter's name; of an array, with its brackets."""
    if "(^" in parameter:
        return parameter
    brackets = "[]" if parameter.endswith("[]") else ""
    return re.sub(r"\b\w+(\[\])?$", "", parameter).strip() + brackets


def methods(folder):
    """(owner, kind, selector, encoding) of every method of the headers in metal-cpp's folder."""
    texts = {}
    for path in sorted(glob.glob(folder + "/Metal/*.hpp") + glob.glob(folder + "/Foundation/*.hpp")):
        with open(path, encoding="utf-8") as file:
            texts[path] = re.sub(r"//[^\n]*", "", file.read())
    selectors = {name: selector for text in texts.values() for name, selector in SELECTOR.findall(text)}
    types = Types(texts.values())
    for text in texts.values():
        for result, space, owner, _, arguments, _, body in FUNCTION.findall(text):
            used = re.search(r"_(?:MTL|NS)_PRIVATE_SEL\((\w+)\)", body)
            if not used or used[1] not in selectors:
                continue
            kind = "+" if "_PRIVATE_CLS(" in body and "this" not in body else "-"
            owner = COMMON.get(owner, space[:-2] + owner)
            encoding = types.encoding(result.replace("_Class*", "NS::Object*")) + "@:"
            encoding += "".join(types.encoding(type_of(p)) for p in parameters(arguments) if p != "const void* pObj")
            yield owner, kind, selectors[used[1]], encoding
