#include "templates/jinja/runtime.h"

#include "base/utf8.h"
#include "templates/jinja/evaluator.h"
#include "templates/jinja/unicode.h"

namespace rung::jinja {

namespace {

// calls in calls: over 100 macros deep, in half the stack of a small thread (512 KiB)
constexpr int kMaxNested = 500;
constexpr std::size_t kMaxMessage = 1000;  // bytes of an error

// One line, and not a page of it: a message may hold what a person wrote.
std::string one_line(std::string_view text) {
  const std::string message = to_valid_utf8(text);
  std::string line;
  for (std::size_t at = 0; at < message.size() && line.size() < kMaxMessage;) {
    const char32_t c = next_code_point(message, at);
    append_utf8(line, is_line_break(c) || c < 0x20 || c == 0x7f ? U' ' : c);
  }
  return line.size() < kMaxMessage ? line : line + "…";
}

}  // namespace

Runtime::Runtime(std::string_view where, std::size_t budget_bytes, const std::tm& clock)
    : now(clock), where_(where), budget_(budget_bytes), left_(budget_bytes) {}

Runtime::~Runtime() = default;

void Runtime::throw_error(std::string_view message) const {
  throw Error(fmt::format("{}:{}: {}", where_, line, one_line(message)));
}

Runtime::Nested::Nested(Runtime& runtime) : runtime_(runtime) {
  if (runtime.depth_ >= kMaxNested) runtime.fail("calls nested too deeply");
  ++runtime.depth_;
}

}  // namespace rung::jinja
