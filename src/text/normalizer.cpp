#include "text/normalizer.h"

#include "base/utf8.h"

namespace rung {
namespace {

struct Apply {
  std::string_view text;

  std::string operator()(NormalForm form) const { return normalize(text, form); }
  std::string operator()(const Lowercase&) const { return lowercase(text); }
  std::string operator()(const Prepend& p) const { return text.empty() ? std::string() : p.what + std::string(text); }
  std::string operator()(const Replace& r) const { return r.pattern.replace_all(text, r.content); }
  std::string operator()(const Strip& s) const {
    const KindSet spaces = space_kinds();
    const char* begin = text.data();
    const char* end = begin + text.size();
    while (s.left && begin != end) {
      const char* next = begin;
      if (!contains(spaces, decode_utf8(next))) break;
      begin = next;
    }
    while (s.right && begin != end) {
      const char* last = previous_utf8(end);
      const char* p = last;
      if (!contains(spaces, decode_utf8(p))) break;
      end = last;
    }
    return {begin, end};
  }
};

}  // namespace

std::string Normalizer::operator()(std::string_view text) const {
  std::string out(text);
  for (const NormalizerStep& step : steps_) out = std::visit(Apply{out}, step);
  return out;
}

}  // namespace rung
