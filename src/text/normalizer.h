// What is done to a text before it is cut into words: normal forms, lower case, replacements.  Milestone M0.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "text/pattern.h"
#include "text/unicode.h"

namespace rung {

struct Lowercase {};
struct Prepend {
  std::string what;
};
struct Replace {
  Pattern pattern;
  std::string content;
};
struct Strip {
  bool left, right;
};
using NormalizerStep = std::variant<NormalForm, Lowercase, Prepend, Replace, Strip>;

class Normalizer {
 public:
  void add(NormalizerStep step) { steps_.push_back(std::move(step)); }
  bool empty() const { return steps_.empty(); }
  std::string operator()(std::string_view text) const;

 private:
  std::vector<NormalizerStep> steps_;
};

}  // namespace rung
