// Token ids → how people and programs see them: cells of text over ids, or JSON.  Milestone M0.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "text/tokenizer.h"

namespace rung {

// Rows of cells as wide as the terminal: each token's piece, spaces as ·, and under it its id. Control tokens stand
// out.
void write_cells(std::span<const TokenId> ids, const Tokenizer& tokenizer);

// `opening` is the beginning of a JSON object: `{` or `{"prompt":"…",`. Completes it to one line:
// "ids": [...], "pieces": [...], and "pieces_bytes": {"7": [240, 159]} for each piece (here the 7th from 0) that is no
// whole UTF-8. Written as it is made, so that millions of tokens need no memory.
void write_ids_json(std::string opening, std::span<const TokenId> ids, const Tokenizer& tokenizer);

// "1 token", "2 tokens".
std::string count_of(std::size_t n, std::string_view what);

// How many columns of a terminal a text takes: 2 for 字 and 🦊, none for an accent that combines.
std::size_t display_columns(std::string_view utf8);

// The beginning that fits into so many columns, ending in … where something was cut off.
std::string clipped(std::string_view utf8, std::size_t columns);

}  // namespace rung
