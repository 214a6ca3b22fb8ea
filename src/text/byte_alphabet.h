// GPT-2's way to write any bytes as printable text: the 188 printable characters of Latin-1 stand for themselves, the
// other 68 bytes are written as U+0100, U+0101, … in their order. So " the" is spelled "Ġthe".  Milestone M0.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rung {

std::string spell_bytes(std::string_view bytes);
// Appends the bytes that a spelling stands for; false (and nothing appended) if some character is none of the alphabet.
bool append_unspelled(std::string& out, std::string_view spelled);

}  // namespace rung
