// Two of the exercises of milestone M0: they would make m0.cpp too long.
#pragma once

#include <string_view>
#include <vector>

#include "engine/loaded_model.h"
#include "learn/exercise.h"

namespace rung::learn {

namespace cut_words {
Exercise exercise();
}
namespace merge_loop {
Exercise exercise();
}

// A text's ids, without what a post-processor adds. What is no UTF-8 becomes U+FFFD.
std::vector<TokenId> encoded(const LoadedModel& model, std::string_view text);

}  // namespace rung::learn
