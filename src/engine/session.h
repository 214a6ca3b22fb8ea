// One conversation with a model: the tokens so far, and what they left in the KV cache.  Milestone M4.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "model/forward.h"
#include "ops/kv_cache.h"

namespace rung {

struct SessionOptions {
  std::size_t context = 0;               // tokens; 0: what the model was made for
  std::optional<DType> cache_type = {};  // f32, f16 or q8_0; none: the device's
  bool keep_cache = true;                // false: every token computes all before it again (`--no-cache`)
  std::size_t chunk_tokens = 256;        // prefill goes in pieces of this many rows
};

class Session {
 public:
  // `model` and `ops` outlive this. Throws Error: a context larger than the model's.
  Session(const Model& model, Ops& ops, const SessionOptions& options = {});

  // Appends `ids` and gives the logits that follow the last of them, valid until the next call. At least one id.
  // Throws Error: ids beyond the vocabulary, more tokens than the context holds. `progress(done, total)` is called
  // after each chunk; when it says false, the session keeps what was done and the result is empty. So it does when the
  // pass or `progress` throws: tokens() are those that were computed, and the session can be used further.
  using Progress = std::function<bool(std::size_t done, std::size_t total)>;
  std::span<const float> feed(std::span<const std::int32_t> ids, const Progress& progress = {});

  // Makes the session's tokens `ids`, computing only what follows the longest common beginning (prefix reuse).
  std::span<const float> become(std::span<const std::int32_t> ids, const Progress& progress = {});

  // Forgets tokens from `length` on.
  void rewind(std::size_t length);

  const std::vector<std::int32_t>& tokens() const { return tokens_; }
  std::size_t context() const { return context_; }
  std::size_t cache_bytes() const { return cache_.bytes(); }

 private:
  std::span<const float> run(std::span<const std::int32_t> ids, const Progress& progress);

  const Model& model_;
  SessionOptions options_;
  std::size_t context_;
  KvCache cache_;
  Forward forward_;
  std::vector<std::int32_t> tokens_;
  Batch batch_;  // the one at hand; kept, so that a step of the decode loop allocates nothing
};

}  // namespace rung
