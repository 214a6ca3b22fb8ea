// JSON text → a document. nlohmann-json does the work; this adds what hostile files need: a bound on nesting, errors
// that name the file.
#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

#include "base/json_fwd.h"

namespace rung {

// `where` names the text in errors, e.g. "model/config.json". Nesting deeper than 256 is refused (nothing real comes
// near, and recursion over a document must not overflow the stack). Throws Error.
Json parse_json(std::string_view text, std::string_view where);
OrderedJson parse_ordered_json(std::string_view text, std::string_view where);

// The value of a key in an object that a stranger wrote; what is absent or no string is "".
std::string string_in(const Json& object, const char* key);

std::string to_json(const OrderedJson& value);  // in one line; bytes that are no UTF-8 become U+FFFD

}  // namespace rung
