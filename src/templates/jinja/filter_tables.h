// The filters of the two filter files, for the one that looks them up by name.
#pragma once

#include "templates/jinja/builtins.h"

#include <span>

namespace rung::jinja {

std::span<const NamedBuiltin> text_filters();
std::span<const NamedBuiltin> sequence_filters();

}  // namespace rung::jinja
