"""Methods out of the Rust crates objc2-metal and objc2-foundation, which are generated from Apple's headers."""

import glob
import re

from commas import parts_of

PRIMITIVE = {
    "c_uchar": "C", "c_char": "c", "c_short": "s", "c_ushort": "S", "c_int": "i", "c_uint": "I", "c_long": "q",
    "c_ulong": "Q", "c_longlong": "q", "c_ulonglong": "Q", "c_float": "f", "c_double": "d", "c_void": "v",
    "u8": "C", "i8": "c", "u16": "S", "i16": "s", "u32": "I", "i32": "i", "u64": "Q", "i64": "q", "f32": "f",
    "f64": "d", "usize": "Q", "isize": "q", "bool": "B", "Bool": "B", "NSUInteger": "Q", "NSInteger": "q",
    "CGFloat": "d",
    "NSTimeInterval": "d", "CFTimeInterval": "d", "NSComparisonResult": "q", "Sel": ":", "unichar": "S",
    "NSErrorDomain": "@", "MTLGPUAddress": "Q", "MTLTimestamp": "Q", "kern_return_t": "i", "Self": "@",
}  # fmt: skip
METHOD = re.compile(
    r"pub unsafe trait (\w+)|pub (?:unsafe )?trait (\w+)|impl(?:<[^>]*>)? (\w+)(?:<[^>]*>)? \{"
    r"|#\[unsafe\(method\(([^)]*)\)\)\]\s*(?:#\[unsafe\(method_family = (\w+)\)\]\s*)?(?:#\[optional\]\s*)?"
    r"(?:pub )?(?:unsafe )?fn (?:r#)?\w+(?:<[^>]*>)?\((.*?)\)(?:\s*->\s*([^;]*?))?\s*(?:where[^;]*)?;",
    re.S,
)
GIVES_OWNERSHIP = {"new", "alloc", "copy", "mutableCopy", "init"}


class Types:
    def __init__(self, texts):
        self.alias, self.structs = {}, {}
        for text in texts:
            self.alias.update(re.findall(r"pub struct (\w+)\(pub (\w+)\);", text))
            self.alias.update(re.findall(r"pub type (\w+) = (\w+);", text))
            pattern = r"#\[repr\(C[^\]]*\)\](?:\s*#\[[^\]]*\])*\s*pub struct (\w+) \{(.*?)\n\}"
            for name, body in re.findall(pattern, text, re.S):
                self.structs[name] = re.findall(r"\n\s*(?:pub(?:\(crate\))? )?\w+: ([^,\n]+)", body)

    def encoding(self, rust):
        rust = rust.strip().rstrip(",")
        if "MTLAutoreleased" in rust:  # an alias for a pointer to an object, of which a pointer is taken
            return "^@"
        inner = re.fullmatch(r"Option<(.*)>", rust, re.S)
        if inner:
            return self.encoding(inner[1])
        if "block2::" in rust or re.search(r"(Handler|Comparator|Deallocator|Block)$", rust):
            return "@?"
        if re.match(r"(&mut |&)?(Retained<|ProtocolObject|AnyObject)", rust):
            return "@"
        result = re.fullmatch(r"Result<(.*), Retained<NSError>>", rust, re.S)
        if result:
            return "B" if result[1].strip() == "()" else self.encoding(result[1])
        if rust.startswith("&"):
            return "#" if rust.endswith("AnyClass") else "@"
        pointer = re.fullmatch(r"NonNull<(.*)>", rust, re.S) or re.fullmatch(r"\*(?:mut|const) (.*)", rust, re.S)
        if pointer:
            return ("r" if rust.startswith("*const") else "") + self.pointer_to(pointer[1].strip())
        if rust in self.structs:
            return "{?=" + "".join(self.encoding(f) for f in self.structs[rust]) + "}"
        if rust == "NSRange":
            return "{?=QQ}"
        if rust in PRIMITIVE:
            return PRIMITIVE[rust]
        return self.encoding(self.alias[rust]) if rust in self.alias else "unknown " + rust

    def pointer_to(self, rust):
        if rust == "c_char":
            return "*"
        if re.match(r"(Option<)?Retained<", rust) or "ProtocolObject<" in rust or rust == "ObjectType":
            return "^@"
        return "^" + self.encoding(rust)


def methods(folders):
    """(owner, kind, selector, encoding, whether the caller becomes an owner) of every method in the crates."""
    texts = []
    for folder in folders:
        for path in sorted(glob.glob(folder + "/src/**/*.rs", recursive=True)):
            with open(path, encoding="utf-8") as file:
                texts.append(re.sub(r"//[^\n]*", "", file.read()))
    types = Types(texts)
    for text in texts:
        owner = "?"
        for m in METHOD.finditer(text):
            if m[4] is None:
                owner = m[1] or m[2] or m[3]
                continue
            selector, family, arguments, result = m[4], m[5], parts_of(m[6]), m[7]
            is_self = lambda p: re.match(r"(&self|self\b|this:)", p)
            kind = "-" if any(is_self(p) for p in arguments) else "+"
            taken = [p for p in arguments if not is_self(p) and not p.startswith("mtm:")]
            encodings = [types.encoding(p.split(":", 1)[1]) for p in taken]
            if selector.endswith(":_"):  # the last argument is where an error goes
                selector = selector[:-1]
                encodings.append("^@")
            encoding = (types.encoding(result) if result else "v") + "@:" + "".join(encodings)
            yield owner, kind, selector, re.sub(r"\s+", " ", encoding), family in GIVES_OWNERSHIP
