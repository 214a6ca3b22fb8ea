// The loop: logits → a token → its text → logits …  Milestone M3.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/sampler.h"
#include "engine/session.h"
#include "text/tokenizer.h"

namespace rung {

enum class StopReason { end_of_text, stop_string, max_tokens, context_full, interrupted };
std::string_view name_of(StopReason reason);  // "end-of-text", …

struct GenerateOptions {
  // Of the answer; 0: until something else ends it. None: what the model says (Engine, Chat), else 256.
  std::optional<std::size_t> max_tokens = {};
  // none: the model's (Engine, Chat); Sampling{} where no model is known
  std::optional<Sampling> sampling = {};
  // Strings that end the answer and are not part of it. One that is an added token of the tokenizer ends it where that
  // token comes, also where the token is hidden and so no part of the text (llama.cpp#6770, koboldcpp#791).
  std::vector<std::string> stop = {};
  std::set<TokenId> stop_ids = {};  // tokens that do
  bool ignore_ends = false;         // LoadedModel::completed() does not add the model's own ends
  std::size_t max_length = 0;       // of prompt and answer together; 0: max_tokens alone counts, and the context
  // The answer goes on with the prompt's text, and its first space belongs to it; false: it stands alone, as in a chat.
  bool continues = false;
};

struct Timing {
  std::size_t tokens = 0;
  double seconds = 0;
  double tokens_per_second() const { return seconds > 0 ? static_cast<double>(tokens) / seconds : 0; }
};

struct Generated {
  std::string text;
  std::vector<TokenId> ids;  // without the one that ended it
  StopReason reason = StopReason::max_tokens;
  Timing prefill;  // tokens that were computed, not those found in the cache
  Timing decode;
  std::uint64_t seed = 0;  // of the sampling: with it, the same answer can be had again
};

struct GenerateCallbacks {
  // whole characters, as soon as they can belong to no stop string
  std::function<void(std::string_view text)> text = {};
  std::function<void(TokenId id)> token = {};  // each new id
  Session::Progress prefill = {};              // see Session::feed
  std::function<bool()> interrupted = {};      // asked before each token
};

// Makes the session's tokens `prompt` and continues them. The session then holds prompt and answer. Throws Error: what
// sampler.h and Session::become throw, and a prompt that leaves nothing of max_length.
Generated generate(Session& session, const Tokenizer& tokenizer, std::span<const TokenId> prompt,
                   const GenerateOptions& options, const GenerateCallbacks& callbacks = {});

// Holds back what may be the beginning of a stop string.
class StopMatcher {
 public:
  explicit StopMatcher(std::vector<std::string> stops) : stops_(std::move(stops)) {}  // empty strings never match
  // Takes more text, gives what is certain to be part of the answer.
  std::string push(std::string_view text);
  bool stopped() const { return stopped_; }
  // The end: what was held back after all belongs to the answer.
  std::string finish();

 private:
  std::vector<std::string> stops_;
  std::string held_;
  bool stopped_ = false;
};

}  // namespace rung
