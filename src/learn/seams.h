// Where a learner's code takes its place in the engine, and the engine with it in place.
//
//   text ─ encode ─ ids ─ forward pass (verbs; weights as load made them) ─ logits ─ choose ─ id ─ decode ─ text
//                              reuse: what the cache keeps                             stop
//
// What is empty is the engine's own.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/device.h"
#include "engine/generate.h"
#include "engine/loaded_model.h"
#include "engine/random.h"
#include "engine/session.h"
#include "ops/learner.h"
#include "ops/traced.h"

namespace rung::learn {

// How much of the text so far may be shown, and whether it ends there.
struct StopAnswer {
  std::size_t certain = 0;  // bytes that belong to no stop string, not even to a beginning of one
  bool stopped = false;     // a stop string follows them
};

struct Seams {
  LearnerVerbs verbs;
  // At load, each matrix once: its values, decoded to f32, [rows, columns], as they will be used. To change them is to
  // change the model.
  std::function<void(const LoadedModel& model, const PackedMatrix& matrix, std::span<float> values)> load;
  // text → ids, without what a post-processor adds.
  std::function<std::vector<TokenId>(const LoadedModel& model, std::string_view text)> encode;
  // The bytes of the next token → text that may be shown. `held` is yours to keep what is not whole yet.
  std::function<std::string(std::string& held, std::string_view piece)> decode;
  // logits [vocabulary] → the next token. `random` begins each telling with the seed of its sampling; where that has
  // none, with the same one.
  std::function<TokenId(std::span<const float> logits, Random& random)> choose;
  // Where the answer ends: looks at all of it that was not shown yet.
  std::function<StopAnswer(std::string_view held, std::span<const std::string> stops)> stop;
  std::vector<std::string> stops;  // the strings to stop at; empty: none
  // How many of the tokens in the cache (`have`) serve for those that are `wanted`.
  std::function<std::size_t(std::span<const TokenId> have, std::span<const TokenId> wanted)> reuse;

  std::string device = std::string(Device::kReference);
  DType cache_type = DType::f32;
};

// A matrix as f32, [rows, columns]: for verbs that are written for floats. Where `load`, `embed` or `linear` is not
// empty every matrix of the model is f32, so that this is no copy but a look; otherwise it is decoded into `scratch`.
std::span<const float> floats_of(const PackedMatrix& matrix, std::vector<float>& scratch);
// The keys (or values) of a head, of positions [0, count), as f32: [count, head_dim].
std::vector<float> keys_of(const KvCache& cache, std::size_t layer, std::size_t kv_head, std::size_t count);
std::vector<float> values_of(const KvCache& cache, std::size_t layer, std::size_t kv_head, std::size_t count);

struct Story {
  std::vector<TokenId> prompt;
  std::vector<TokenId> ids;      // of the answer
  std::string text;              // both, as it was shown
  std::size_t prompt_bytes = 0;  // of text
  StopReason reason = StopReason::max_tokens;
  Timing prefill;  // of all of the prompt, also what the session still had
  Timing decode;   // the passes after it
  std::string_view answer() const { return std::string_view(text).substr(prompt_bytes); }
};

struct TellOptions {
  std::string prompt = {};
  std::size_t tokens = 40;  // of the answer, at most; 0: until it ends, or the context is full
  // Where no learner chooses; one that is greedy unless another is given.
  Sampling sampling = {.temperature = 0};
  std::function<void(std::string_view)> text = {};    // prompt and answer, as it is shown
  std::function<void(std::string_view)> answer = {};  // the answer alone
};

// Called after each step that an engine with seams takes (a matrix loaded, a pass, a text encoded), whoever's code was
// in it: for whoever waits and must tell work from a loop without an end. Null: nobody waits.
inline void (*on_step)() = nullptr;

// A model with seams: pebble, unless another is given.
class SeamedEngine {
 public:
  // Throws Error, and what a learner's code throws while it loads.
  explicit SeamedEngine(Seams seams, std::unique_ptr<const LoadedModel> model = nullptr, std::size_t threads = 1,
                        std::size_t context = 0);
  ~SeamedEngine();
  SeamedEngine(const SeamedEngine&) = delete;
  SeamedEngine& operator=(const SeamedEngine&) = delete;

  const LoadedModel& model() const { return *files_; }
  std::vector<TokenId> encode(std::string_view text) const;
  // A pass over all but the last three of `ids`, then one over each of those: as prefill and decode do. Every
  // checkpoint is handed to `listener`. The last row's logits.
  std::vector<float> trace(std::span<const TokenId> ids, const TracedOps::Listener& listener);
  // Goes on with the prompt. The session keeps what it can of the telling before.
  Story tell(const TellOptions& options);

 private:
  struct InFloats;  // the model once more, its matrices in f32
  const Model& used() const;
  std::span<const float> become(std::span<const TokenId> ids);
  TokenId choose(std::span<const float> logits, Sampler& sampler, Random& random) const;

  Seams seams_;
  std::unique_ptr<const LoadedModel> files_;
  std::unique_ptr<InFloats> in_floats_;  // where the seams want it
  Device device_;
  LearnerOps ops_;
  Session session_;
};

}  // namespace rung::learn
