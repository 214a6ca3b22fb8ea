"""Turns preprocessed Metal Shading Language into C++ that the host's clang compiles.

Macros alone cannot do it: `template [[host_name("x")]]` is an error in stock clang, and a macro cannot tell the
parameter `threadgroup float* p` from the variable `threadgroup float v[32];`. So tokens are rewritten, and only those
that the user wrote:
  * address spaces disappear (or, for address_spaces.py, become OpenCL's, whose rules are Metal's);
  * attributes disappear, and what they say of kernels and their arguments is kept;
  * threadgroup variables become references to memory that the emulator hands out;
  * function constants become variables that the emulator sets;
  * 0.5 becomes 0.5f, for Metal has no double.
At the end comes a line of registration for each kernel (runtime/bind_arguments.h)."""

import re

import kernels
import tokens as tk

SPACES = {"device", "constant", "thread", "threadgroup", "ray_data", "object_data", "threadgroup_imageblock"}
AS_HOST = {"device": "", "thread": "", "threadgroup": "", "constant": "const"}
AS_OPENCL = {"device": "__global", "thread": "__private", "threadgroup": "__local", "constant": "__constant"}
UNSUFFIXED = re.compile(r"(\d+\.\d*|\.\d+)([eE][+-]?\d+)?|\d+[eE][+-]?\d+")


class Rewriter:
    def __init__(self, text, for_address_spaces):
        self.all = tk.read(text)
        self.tokens = tk.significant(self.all)
        self.space = AS_OPENCL if for_address_spaces else AS_HOST
        self.for_address_spaces = for_address_spaces
        self.errors = []
        self.attributes = {}  # index of any token of [[…]] → (its names and arguments, the index after it)
        self.kernels = {}  # name → Kernel
        self.instances = []  # (kernel's name, template arguments, host name, token)
        self.constants = []  # (name, index) of function constants
        self.derived = []  # (name, expression) of constants made of them
        self.bodies = []  # (first, last) token of each kernel's body

    def error(self, token, message):
        self.errors.append(f"{token.file}:{token.line}: error: {message}")

    # ---- attributes ----

    def take_attributes(self):
        """Blanks every [[…]] and remembers what it says."""
        t, i = self.tokens, 0
        while i < len(t) - 1:
            if not (t[i].text == "[" and t[i + 1].text == "["):
                i += 1
                continue
            end = tk.closing(t, i, "[", "]")
            names = self.names_and_arguments(t[i + 2 : end - 1])
            for q in range(i, end + 1):
                t[q].output = ""
                self.attributes[q] = (names, end + 1)
            i = end + 1

    @staticmethod
    def names_and_arguments(inner):
        names, j = {}, 0
        while j < len(inner):
            if inner[j].kind == "name":
                name, argument = inner[j].text, None
                if j + 1 < len(inner) and inner[j + 1].text == "(":
                    end = tk.closing(inner, j + 1, "(", ")")
                    argument = " ".join(x.text for x in inner[j + 2 : end])
                    j = end
                names[name] = argument
            j += 1
        return names

    def attributes_after(self, i):
        """The attributes that start at token i, together, and the index after them."""
        names = {}
        while i in self.attributes:
            names.update(self.attributes[i][0])
            i = self.attributes[i][1]
        return names, i

    def attributes_before(self, i):
        """The attributes that end just before token i, and the index of the token before them."""
        names = {}
        i -= 1
        while i in self.attributes:
            names.update(self.attributes[i][0])
            i -= 1
        return names, i

    def parameters(self, start, end):
        """Lists of token indices, one a parameter, of what stands between tokens start and end."""
        found, current, depth = [], [], 0
        for q in range(start, end):
            text = self.tokens[q].text
            if q not in self.attributes:
                depth += (text in "(<[{") - (text in ")>]}")
                if text == "," and depth == 0:
                    found.append(current)
                    current = []
                    continue
            current.append(q)
        return found + [current] if current else found

    # ---- the walk ----

    def rewrite(self):
        try:
            self.rewrite_all()
        except IndexError:  # who looks for what comes next looks beyond the last token
            last = self.tokens[-1] if self.tokens else tk.Token("other", "", "?", 1)
            raise tk.Unbalanced(f"{last.file}:{last.line}: error: the file ends where more has to come") from None

    def rewrite_all(self):
        t = self.tokens
        for token in t:
            if token.kind == "number" and UNSUFFIXED.fullmatch(token.text):
                token.output = token.text + "f"
        self.take_attributes()
        i, depth = 0, 0
        while i < len(t):
            text = t[i].text
            if i in self.attributes:
                names, after = self.attributes[i]
                if "kernel" in names:
                    kernels.declare(self, i, after)
                i = after
                continue
            if text == "{":
                depth += 1
            elif text == "}":
                depth -= 1
            elif text == "kernel":
                t[i].output = ""
                kernels.declare(self, i, i + 1)
            elif text == "constant" and depth == 0:
                self.constant_at_program_scope(i)
            elif text in ("constant", "device", "thread"):
                t[i].output = self.space[text]
            elif text == "threadgroup":
                self.threadgroup(i, depth)
            elif text == "*" and self.for_address_spaces and self.is_function(i):
                t[i].output = "&"  # template <void (*f)(…)>: OpenCL's rules find no function for a pointer to one
            else:
                self.refuse(i, depth)
            i += 1

    def is_function(self, i):
        """Is the * at i that of `(*name)(`?"""
        t = self.tokens
        before, after = t[i - 1].text, [x.text for x in t[i + 2 : i + 4]]
        return before == "(" and t[i + 1].kind == "name" and after == [")", "("]

    def constant_at_program_scope(self, i):
        """A function constant, a value derived from one, or a plain table."""
        t, depth, equals, index = self.tokens, 0, None, None
        end = i
        while True:
            if end in self.attributes:
                names, after = self.attributes[end]
                if "function_constant" in names:
                    index, name = names["function_constant"], t[end - 1].text
                end = after
                continue
            text = t[end].text
            depth += (text in "([{") - (text in ")]}")
            if text == "=" and equals is None and depth == 0:
                equals = end
            if depth < 0 or (depth == 0 and text in ";{,"):
                break
            end += 1
        known = {n for n, _ in self.constants} | {n for n, _ in self.derived}
        if index is not None:
            t[i].output = "__constant" if self.for_address_spaces else "static"
            t[end].output = " = 0;" if self.for_address_spaces else ";"
            self.constants.append((name, index))
        elif equals is not None and t[end].text == ";" and any(x.text in known for x in t[equals:end]):
            t[i].output = "__constant" if self.for_address_spaces else "static"
            self.derived.append((t[equals - 1].text, " ".join(x.text for x in t[equals + 1 : end])))
            for x in t[equals:end]:
                x.output = ""
            if self.for_address_spaces:
                t[equals].output = " = 0"
            for x in t[i + 1 : equals]:
                if x.text in ("const", "constexpr"):
                    x.output = ""
        else:
            t[i].output = self.space["constant"]

    def threadgroup(self, i, depth):
        """The address space of a pointer; or a variable, of which each threadgroup has one:
        threadgroup T v[N];  →  typedef T msl_t_v[N]; msl_t_v& v = *(msl_t_v*)msl_threadgroup_variable(…);"""
        t = self.tokens
        t[i].output = self.space["threadgroup"]
        if not (depth and i > 0 and t[i - 1].text in ";{}"):
            return
        end = next(q for q in range(i, len(t)) if t[q].text == ";")
        head, angle = [], 0
        for q in range(i, end):
            angle += (t[q].text == "<") - (t[q].text == ">")
            if angle == 0 and t[q].text in "[=,(":
                break
            if angle == 0:
                head.append(t[q].text)
        if "*" in head or "&" in head:
            return
        if not any(first < i < last for first, last in self.bodies):
            self.error(t[i], "threadgroup variable outside a kernel function")
        is_zero = self.take_zero_initialiser(i, end)
        t[i].output = "typedef"
        space, made = self.space["threadgroup"], []
        for q in self.declarators(i, end):
            name = t[q].text
            t[q].output = "msl_t_" + name
            memory = f"msl_threadgroup_variable({t[i].line}, {len(made)}, sizeof(msl_t_{name}), {is_zero})"
            made.append(f" {space} msl_t_{name}& {name} = *({space} msl_t_{name}*){memory};")
        t[end].output = ";" + "".join(made)

    def take_zero_initialiser(self, i, end):
        """Apple's compiler takes `threadgroup float v[32] = {0};` (its own MLX has it) and fills with zeros."""
        t = self.tokens
        equals = next((q for q in range(i, end) if t[q].text == "="), None)
        if equals is None:
            return "false"
        values = [x.text for x in t[equals + 1 : end] if x.text not in "{},"]
        if any(not re.fullmatch(r"0+(\.0*)?[fFhH]?", v) for v in values):
            self.error(t[i], "threadgroup variable with an initialiser that is not zero")
        for x in t[equals:end]:
            x.output = ""
        return "true"

    def declarators(self, i, end):
        """The indices of the names that a declaration `T a[N], b, c[M];` introduces."""
        t, depth, expected = self.tokens, 0, True
        for q in range(i + 1, end + 1):
            text = t[q].text
            if depth == 0 and text in "[,;=" and expected and t[q - 1].kind == "name":
                yield q - 1
                expected = False
            depth += (text in "<([{") - (text in ">)]}")
            if depth == 0 and text == ",":
                expected = True

    # ---- what Metal refuses and C++ takes ----

    def refuse(self, i, depth):
        t, text = self.tokens, self.tokens[i].text
        if text == "[" and depth and t[i - 1].text in ("=", "(", ",", "return", "{", ";", "?", ":", "|"):
            if t[tk.closing(t, i, "[", "]") + 1].text in ("(", "{"):
                self.error(t[i], "lambda expression")
        elif text == "static" and any(first < i < last for first, last in self.bodies):
            if t[i + 1].text not in ("constant", "constexpr", "const"):
                self.error(t[i], "static local variable")
        elif text == "(" and depth == 0 and i and t[i - 1].kind == "name":
            self.refuse_pointers_without_space(i)

    def refuse_pointers_without_space(self, i):
        """In an ordinary function at file scope, each parameter that is a pointer or reference names its space."""
        t, name = self.tokens, self.tokens[i - 1].text
        end = tk.closing(t, i, "(", ")")
        if end + 1 >= len(t) or t[end + 1].text not in "{;" or name in self.kernels:
            return
        if name in ("_Pragma", "decltype", "sizeof", "static_assert", "alignas"):
            return
        for parameter in self.parameters(i + 1, end):
            words = [t[q].text for q in parameter if q not in self.attributes]
            if ("*" in words or "&" in words) and not SPACES & set(words):
                self.error(t[parameter[0]], f"pointer or reference without an address space: '{' '.join(words)}'")

    # ---- the result ----

    def text(self):
        space = self.space["threadgroup"]
        before = f'extern "C" {space} void* msl_threadgroup_variable(unsigned, unsigned, __SIZE_TYPE__, bool);\n'
        body = "".join(t.output for t in self.all)
        return before + body + ("" if self.for_address_spaces else kernels.registration(self))
