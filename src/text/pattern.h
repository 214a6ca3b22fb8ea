// What Split and Replace look for: a literal text or a regular expression.  Milestone M0.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "text/regex.h"

namespace rung {

class Pattern {
 public:
  static Pattern literal(std::string text) { return Pattern(std::move(text)); }  // not empty
  static Pattern regex(std::string_view pattern, std::string_view where) { return Pattern(Regex(pattern, where)); }

  // visit(range) for every match, from left to right.
  template <class Visit>
  void for_each_match(std::string_view text, Regex::Scratch& scratch, Visit visit) const {
    if (const auto* words = std::get_if<std::string>(&what_)) {
      for (std::size_t i = text.find(*words); i != text.npos; i = text.find(*words, i + words->size())) {
        visit(ByteRange{i, i + words->size()});
      }
    } else {
      Regex::Search search(std::get<Regex>(what_), text, scratch);
      while (const auto match = search.next()) visit(*match);
    }
  }

  std::string replace_all(std::string_view text, std::string_view content) const {
    std::string out;
    std::size_t done = 0;
    Regex::Scratch scratch;
    for_each_match(text, scratch, [&](ByteRange match) {
      out.append(text.substr(done, match.begin - done)).append(content);
      done = match.end;
    });
    return out.append(text.substr(done));
  }

 private:
  explicit Pattern(std::variant<std::string, Regex> what) : what_(std::move(what)) {}
  std::variant<std::string, Regex> what_;
};

}  // namespace rung
