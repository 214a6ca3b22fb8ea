// A chat template's text → its syntax tree.  Milestone M8.
#pragma once

#include "templates/jinja/ast.h"

#include <string_view>

namespace rung::jinja {

// Throws Error "<where>:<line>: …" for what is wrong and for what is not supported.
Template parse_template(std::string_view source, std::string_view where);

// Fills in every Scope, and refuses what only the whole tree shows (an unknown filter that would surely be reached).
void resolve_scopes(Template& tree);

}  // namespace rung::jinja
