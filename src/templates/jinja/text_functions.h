// Python's string operations on texts that know their provenance.  Milestone M8.
#pragma once

#include "templates/jinja/value.h"

#include <optional>
#include <vector>

namespace rung::jinja {

Text replace(Runtime& runtime, const Text& text, const Text& old, const Text& with, std::int64_t most);
// At `separator`, or at runs of whitespace where there is none; at most `most` times unless negative.
std::vector<Value> split(Runtime& runtime, const Text& text, const Text* separator, std::int64_t most);
std::vector<Value> split_from_right(Runtime& runtime, const Text& text, const Text* separator, std::int64_t most);
std::vector<Value> split_lines(Runtime& runtime, const Text& text, bool keep_ends);
Text join(Runtime& runtime, const Text& separator, const std::vector<Value>& items);
Text strip(Runtime& runtime, const Text& text, Strip ends, const Value* chars);
Text capitalize(const Text& text);
Text title(const Text& text);        // str.title(): a capital wherever letters begin
Text title_words(const Text& text);  // the filter `title`: a capital after blanks, - ( { [ and <
Text swap_case(const Text& text);
bool is_all_case(Runtime& runtime, const Text& text, Case target);  // has letters, and all are of this case
// Blanks (or `fill`) around a text until it has `width` code points.
enum class Align { left, right, center };
Text pad(Runtime& runtime, const Text& text, std::int64_t width, Align align, std::string_view fill);
// A method on an `escaped` string that takes other strings would have to escape them, too.
void refuse_escaped(Runtime& runtime, const Text& text, std::string_view function);

}  // namespace rung::jinja
