"""A list of parameters, of C++ or of Rust → its parts."""


def parts_of(text):
    """Cut at the commas that stand in no brackets; nothing empty."""
    parts, depth, current = [], 0, ""
    for character in text:
        depth += (character in "(<") - (character in ">)")
        if character == "," and depth == 0:
            parts.append(current)
            current = ""
        else:
            current += character
    return [part.strip() for part in parts + [current] if part.strip()]
