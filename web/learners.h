// Learners' code in the page: the verbs `exercises`, `check`, `debug` and `storyWith` of web/src/types.ts.
//
// A learner's module lies in the engine's memory, in the room below; `slot` of a request is its function's place in the
// engine's table, which on this machine is what a function pointer is.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string_view>

#include "base/json_fwd.h"

namespace rung {

std::span<std::byte> room_for_learners();

// Who hears what is there before the answer.
struct Listeners {
  std::function<void(std::string_view)> text;  // a check's name as it begins, a story's pieces
  // Each case before it is tried: what does not come back is known by it.
  std::function<void(std::string_view title, std::string_view input)> trying;
  // The report of a check, as JSON, when a case has failed and the learner's code is called again to find out why.
  std::function<void(std::string_view report)> found;
  void (*alive)();  // called now and then while the learner's code is being called
};

// nullopt: it is another's verb.
std::optional<OrderedJson> answer_for_learners(std::string_view verb, const OrderedJson& request,
                                               const Listeners& listeners);

}  // namespace rung
