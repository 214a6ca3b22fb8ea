"""The kernels of a file: what each argument is bound to, and the code that registers them with the emulator."""

import re

import tokens as tk

POSITIONS = {
    name: name
    for name in (
        "thread_position_in_grid threadgroup_position_in_grid thread_position_in_threadgroup "
        "thread_index_in_threadgroup thread_index_in_simdgroup thread_index_in_quadgroup "
        "simdgroup_index_in_threadgroup quadgroup_index_in_threadgroup threads_per_threadgroup "
        "threadgroups_per_grid threads_per_grid threads_per_simdgroup simdgroups_per_threadgroup "
        "quadgroups_per_threadgroup"
    ).split()
}
POSITIONS.update(
    dispatch_threads_per_threadgroup="threads_per_threadgroup",
    dispatch_simdgroups_per_threadgroup="simdgroups_per_threadgroup",
    dispatch_quadgroups_per_threadgroup="quadgroups_per_threadgroup",
    thread_execution_width="threads_per_simdgroup",
    grid_size="threads_per_grid",
)
# A kernel takes all of these as scalars, or all as vectors of one width.
DIMENSIONED = {
    "thread_position_in_grid",
    "threadgroup_position_in_grid",
    "thread_position_in_threadgroup",
    "threads_per_threadgroup",
    "threadgroups_per_grid",
    "threads_per_grid",
}
BINDINGS = {"buffer", "threadgroup", "function_constant", "maybe_unused"}


class Argument:
    def __init__(self, name, role, index=0, is_constant=False, enabled=None, width=None):
        self.name, self.role, self.index, self.is_constant, self.enabled = name, role, index, is_constant, enabled
        self.width = width  # of a position: "", "2" or "3"; None where the type has a name of its own

    def initialiser(self):
        enabled = f"&::{self.enabled}" if self.enabled else "nullptr"
        constant = "true" if self.is_constant else "false"
        return f'{{msl::Role::{self.role}, {self.index}, {constant}, 0, {enabled}, "{self.name}"}}'


class Kernel:
    def __init__(self, name, arguments, host_name, is_template, max_threads):
        self.name, self.arguments, self.host_name = name, arguments, host_name
        self.is_template, self.max_threads = is_template, max_threads


def declare(rewriter, at, after):
    """A kernel, or an instance of a kernel template, is declared at token `at`: the word `kernel` or the attribute."""
    t = rewriter.tokens
    said, before = rewriter.attributes_before(at)
    while before >= 0 and t[before].text in ("static", "inline", "METAL_FUNC"):
        before -= 1
    said.update(rewriter.attributes[at][0] if at in rewriter.attributes else {})
    more, q = rewriter.attributes_after(after)
    said.update(more)
    host_name = said["host_name"].strip().strip('"') if said.get("host_name") else None
    name, arguments, parenthesis = declarator(rewriter, q)
    if before >= 0 and t[before].text == "template":
        rewriter.instances.append((name, arguments, host_name or name, t[at]))
        return
    end = tk.closing(t, parenthesis, "(", ")")
    if t[end + 1].text == "{":
        rewriter.bodies.append((end + 1, tk.closing(t, end + 1, "{", "}")))
    # Where the limit is an expression, the emulator cannot tell.
    limit = said.get("max_total_threads_per_threadgroup") or ""
    rewriter.kernels[name] = Kernel(
        name,
        arguments_of(rewriter, name, parenthesis + 1, end),
        host_name,
        is_template=before >= 0 and t[before].text == ">",
        max_threads=int(limit) if limit.isdigit() else 1024,
    )


def declarator(rewriter, q):
    """The name that is declared, its template arguments, and the index of its '(': a name before '(', or before '<…>'
    and '(' or ';'."""
    t = rewriter.tokens
    while True:
        if q in rewriter.attributes:
            q = rewriter.attributes[q][1]
        elif t[q].kind == "name" and t[q + 1].text == "(" and t[q].text != "decltype":
            return t[q].text, "", q + 1
        elif t[q].kind == "name" and t[q + 1].text == "<":
            end = tk.past_template_arguments(t, q + 1)
            if t[end].text in "(;":
                return t[q].text, " ".join(x.text for x in t[q + 1 : end]), end
            q = end
        else:
            q += 1


def arguments_of(rewriter, kernel, start, end):
    arguments = []
    for parameter in rewriter.parameters(start, end):
        argument = argument_of(rewriter, kernel, parameter)
        if argument:
            arguments.append(argument)
    for role in ("buffer", "threadgroup_memory"):  # those without an index take the lowest free one, in order
        used = set()
        for a in arguments:
            if a.role == role and a.index is not None:
                if a.index in used and not a.enabled:
                    rewriter.error(rewriter.tokens[start], f"kernel {kernel}: {role} {a.index} is used twice")
                used.add(a.index)
        for a in arguments:
            if a.role == role and a.index is None:
                a.index = next(i for i in range(32) if i not in used)
                used.add(a.index)
    widths = {a.width for a in arguments if a.role in DIMENSIONED and a.width is not None}
    if len(widths) > 1:  # in the words of Apple's compiler
        rewriter.error(
            rewriter.tokens[start],
            f"kernel {kernel}: expecting input declarations with either all scalar types or all vector types with the "
            "same number of elements",
        )
    return arguments


def argument_of(rewriter, kernel, parameter):
    from rewrite import SPACES

    t, said, names, spaces, is_pointer = rewriter.tokens, {}, [], set(), False
    for q in parameter:
        if q in rewriter.attributes:
            said.update(rewriter.attributes[q][0])
        elif t[q].text in SPACES:
            spaces.add(t[q].text)
        elif t[q].kind == "name":
            names.append(t[q].text)
        elif t[q].text in "*&":
            is_pointer = True
    name = names[-1] if names else "?"
    for word in said:
        if word not in POSITIONS and word not in BINDINGS:
            rewriter.error(t[parameter[0]], f"kernel {kernel}: unknown attribute [[{word}]]")
    for word in said:
        if word in POSITIONS:
            plain = re.fullmatch("u(?:int|short|long)([23]?)", names[-2] if len(names) > 1 else "")
            return Argument(name, POSITIONS[word], width=plain.group(1) if plain else None)
    if not is_pointer or not spaces:
        rewriter.error(t[parameter[0]], f"kernel {kernel}: '{name}' needs an address space or an attribute")
        return None
    is_threadgroup = "threadgroup" in spaces
    index = said.get("threadgroup" if is_threadgroup else "buffer")
    return Argument(
        name,
        "threadgroup_memory" if is_threadgroup else "buffer",
        whole_number(rewriter, t[parameter[0]], index),
        "constant" in spaces,
        said.get("function_constant"),
    )


def whole_number(rewriter, token, text):
    """An index: a number, or a sum of numbers (macros are expanded by now)."""
    if text is None:
        return None
    if not re.fullmatch(r"[\d+\-*() ]+", text):
        rewriter.error(token, f"the index '{text}' is not a number")
        return 0
    return eval(text)  # digits and + - * ( ) alone


def registration(rewriter):
    """C++ that tells the emulator about each kernel and each function constant when the file is loaded."""
    lines = ['\n#line 1 "registration"\n#include "bind_arguments.h"\nnamespace msl_registration {']
    known = set()

    def add(host_name, function, kernel):
        if host_name in known:
            rewriter.errors.append(f"error: two kernels are called {host_name}")
        known.add(host_name)
        c = f"{len(known)}"
        table = ", ".join(a.initialiser() for a in kernel.arguments)
        lines.append(f"constexpr msl::Argument constant_{c}[] = {{{table}}};")
        lines.append(f"msl::Argument arguments_{c}[] = {{{table}}};")
        lines.append(f'msl::RegisterKernel kernel_{c}("{host_name}", {kernel.max_threads}, arguments_{c}, {function},')
        # The table of arguments is no memory of the GPU: no sanitizer looks at these loads.
        unwatched = '__attribute__((no_sanitize("thread")))'
        lines.append(f"    [](const msl::Bindings& b, const msl::Position& p) {unwatched} {{")
        lines.append(f"      msl::call({function}, constant_{c}, b, p); }});")

    for name, arguments, host_name, token in rewriter.instances:
        if name not in rewriter.kernels:
            rewriter.error(token, f"instance of a kernel that is not defined: {name}")
            continue
        add(host_name, f"(&::{name} {arguments})", rewriter.kernels[name])
    for kernel in rewriter.kernels.values():
        if not kernel.is_template:
            add(kernel.host_name or kernel.name, f"(&::{kernel.name})", kernel)
    for name, index in rewriter.constants:
        lines.append(f'msl::RegisterConstant constant_{name}({index}, &::{name}, sizeof(::{name}), "{name}", nullptr);')
    for name, expression in rewriter.derived:
        lines.append(
            f'msl::RegisterConstant constant_{name}(-1, &::{name}, sizeof(::{name}), "{name}", '
            f"[] {{ ::{name} = {expression}; }});"
        )
    lines.append("}\n")
    return "\n".join(lines)
