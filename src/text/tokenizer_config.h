// What lies beside a tokenizer.json and says which tokens have which part to play.  Milestone M0.
#pragma once

#include "base/json_fwd.h"
#include "files/folder.h"

namespace rung {

// A folder's tokenizer_config.json, with special_tokens_map.json over it where transformers reads that too. Neither is
// there: an empty object. Throws Error.
Json read_tokenizer_config(const Folder& folder);

}  // namespace rung
