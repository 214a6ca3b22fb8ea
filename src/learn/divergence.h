// Two runs of the same tokens, a sound one and theirs → the first number that differs, what the difference looks like,
// and why it is there, most likely.  (The first-divergence debugger.)
//
//   sound   embedding ─ layer.0.attention_norm ─ layer.0.q ─ … ─ logits
//              =              =                      ≠               tensor, token, head, index; both numbers
//   theirs  embedding ─ layer.0.attention_norm ─ layer.0.q ─ … ─ logits
//                                                    │
//   and again with each mistake that is known: whose layer.0.q is theirs?
//
// What comes after the first is wrong because of it, so nobody looks there.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "learn/check.h"
#include "learn/exercise.h"
#include "learn/patterns.h"
#include "learn/seams.h"

namespace rung::learn {

// ‖theirs − sound‖ ≤ this·‖sound‖, for each row (docs/design.md, "The numeric contract").
inline constexpr double kRowContract = 1e-4;

struct Divergence : Where {
  std::vector<FoundPattern> patterns;

  std::size_t passed_before = 0;       // how many tensors were the same
  std::vector<double> sound, theirs;   // the tensor
  std::size_t row = 0, row_width = 0;  // the token's in it
  std::size_t head_dim = 0;            // 0: it has no heads

  std::size_t place() const { return head.value_or(0) * head_dim + index; }  // in the row
  // "layer.1.q_rope, token 3, head 0, place 17: 0.25 instead of -0.5 (the row is off by 0.65 of its length, …)"
  std::string sentence() const;
};

// Listens to the sound run, then to theirs. Of the sound one each tensor is kept until theirs has come by, theirs
// never.
class SideBySide {
 public:
  explicit SideBySide(std::size_t head_dim) : head_dim_(head_dim) {}  // splits rows that are heads side by side
  TracedOps::Listener sound();
  TracedOps::Listener theirs();  // valid while this lives, as the one above

  struct Distance {
    std::string checkpoint;
    int layer;
    double distance;  // of the row that differs most
  };
  const std::vector<Distance>& distances() const { return distances_; }   // of each tensor
  const std::optional<Divergence>& first() const { return divergence_; }  // none: nothing differs

 private:
  struct Kept {
    std::string checkpoint;
    std::vector<float> values;
  };
  void compare(const Checkpoint& at, const NamedTensor& x);
  Divergence describe(const Checkpoint& at, const NamedTensor& x, std::size_t row) const;

  std::size_t head_dim_;
  std::vector<Kept> sound_;
  std::size_t compared_ = 0;
  std::size_t first_kept_ = 0;                   // in sound_: what a difference may have been made of
  std::size_t first_token_ = 0, pass_rows_ = 0;  // of the pass that theirs is in
  std::vector<Distance> distances_;
  std::optional<Divergence> divergence_;
};

// What a pass of `ids` through one engine gives beside a sound one's; nullopt: nowhere further than the contract
// allows.
std::optional<Divergence> first_divergence(SeamedEngine& theirs, SeamedEngine& sound, std::span<const TokenId> ids);

// The engine with these seams, over the tokens in question.
using RunWith = std::function<void(Seams seams, const TracedOps::Listener& listener)>;

// Why, the likeliest first. Each mistake of the exercise is put into the engine, then, where none explains it, each of
// BrokenOps: the one whose tensor is theirs comes first; then patterns; then the mistake that goes most their way.
std::vector<Cause> likely_causes(const Divergence& divergence, const Exercise* exercise, const RunWith& run);

// How much a mistake explains: 1 where what it gives is what they got, else the cosine between the two errors; 0 where
// it explains nothing.
inline constexpr double kSameWay = 0.8;  // from there on one error resembles the other
double likeness(std::span<const double> expected, std::span<const double> got, std::span<const double> mistaken);

}  // namespace rung::learn
