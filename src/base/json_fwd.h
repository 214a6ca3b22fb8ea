// The names of JSON documents, for headers that only pass them on: the library itself (base/json.h) costs each file
// that sees it a second of compiling.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace rung {

using Json = nlohmann::json;  // keys sorted, found in O(log n): configs, vocabularies
// keys in the text's order, found in O(n): messages and tools, whose order a template prints
using OrderedJson = nlohmann::ordered_json;

}  // namespace rung
