// What -m says → where that model lies.
#pragma once

#include <string>

#include "engine/model_files.h"

namespace rung {

// In this order: a path; a name that `rung pull` has brought from the package index; "ollama:name"; a name in the hub's
// cache. Throws Error: it is not there, and how to bring it; UsageError: it is not said which of several.
ModelFiles open_model(const std::string& name);

}  // namespace rung
