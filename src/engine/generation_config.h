// generation_config.json, or a GGUF's general.sampling.*: how its makers want a model's answers made.  Milestone M3.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/json_fwd.h"
#include "engine/sampling.h"
#include "files/gguf.h"

namespace rung {

struct GenerationConfig {
  Sampling sampling = {};                      // ours where the files are silent
  std::optional<std::size_t> max_tokens = {};  // of an answer: max_new_tokens
  std::optional<std::size_t> max_length = {};  // of prompt and answer; none where there are max_tokens
  std::optional<std::size_t> context = {};     // num_ctx, of Ollama's
  std::vector<std::string> stop = {};          // stop_strings
  // Keys that would change transformers' text, or llama.cpp's, and that Rung does not do: "num_beams", "mirostat".
  std::vector<std::string> undone = {};
  std::string where = {};  // for errors: the file
};

// Both throw Error for what is of a wrong type or out of range; `where` names the file.
GenerationConfig generation_from_json(const Json& config, const std::string& where);
GenerationConfig generation_from_gguf(const Gguf& gguf);
// The same with what Ollama's parameters say instead; those of how it runs (num_gpu, num_thread, …) say nothing of the
// text, and are left.
GenerationConfig generation_from_ollama(GenerationConfig own, const Json& parameters, const std::string& where);

// eos_token_id and its like: a number or a list of numbers; null, absent, and −1 are none.
std::vector<TokenId> token_ids_in(const Json& object, const char* key, const std::string& where);

}  // namespace rung
