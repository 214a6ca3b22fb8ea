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

// nullopt: it is another's verb. `text` takes what is there before the answer: a check's name as it begins, a story's
// pieces. `alive` is called now and then while the learner's code is being called.
std::optional<OrderedJson> answer_for_learners(std::string_view verb, const OrderedJson& request,
                                               const std::function<void(std::string_view)>& text, void (*alive)());

}  // namespace rung
