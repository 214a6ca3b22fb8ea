// A conversation as JSON, whoever sends it → whether it is one.  Milestone M8.
#pragma once

#include <string_view>

#include "base/json_fwd.h"

namespace rung {

// Throws Error, naming `where`: not an object with `messages`, a list of objects that each have a `role`.
void check_request(const OrderedJson& request, std::string_view where);

}  // namespace rung
