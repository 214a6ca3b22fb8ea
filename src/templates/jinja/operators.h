// a + b, -a, a < b: what operators do.  Milestone M8.
#pragma once

#include "templates/jinja/ast.h"

namespace rung::jinja {

Value arithmetic(Runtime& runtime, BinaryOp op, const Value& a, const Value& b);
Value negate(Runtime& runtime, const Value& a, bool positive);
bool compare(Runtime& runtime, CompareOp op, const Value& a, const Value& b);
Text repeat(Runtime& runtime, const Text& text, std::int64_t count);

}  // namespace rung::jinja
