// Text that a file chose → text that may be printed in one line of a terminal: no control characters, whole UTF-8, not
// too long.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rung {

// Control characters and bytes that are not UTF-8 appear as \x1b; what goes beyond `limit_bytes` as an ellipsis.
std::string printable(std::string_view text, std::size_t limit_bytes = 120);

}  // namespace rung
