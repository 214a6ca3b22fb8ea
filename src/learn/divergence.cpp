#include "learn/divergence.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "base/threads.h"
#include "learn/causes.h"
#include "learn/in_engine.h"
#include "ops/broken.h"
#include "ops/reference.h"
#include "ops/statistics.h"

namespace rung::learn {

namespace divergence {
namespace {

std::vector<double> doubles(std::span<const float> values) { return {values.begin(), values.end()}; }

// Of some rows the first that is off by more than the contract allows, and how far the one that is off most is.
struct Furthest {
  double distance = 0;
  std::optional<std::size_t> first_wrong = {};
};
Furthest furthest(std::span<const float> a, std::span<const float> b, std::size_t rows) {
  Furthest found;
  const std::size_t width = rows == 0 ? 0 : b.size() / rows;
  for (std::size_t r = 0; r < rows; ++r) {
    const double off = relative_distance(a.subspan(r * width, width), b.subspan(r * width, width));
    if (!(off <= found.distance)) found.distance = off;
    if (!(off <= kRowContract) && !found.first_wrong) found.first_wrong = r;
  }
  return found;
}

// The first place of a row that is off by what the contract allows a place, on average.
std::size_t first_place(std::span<const float> got, std::span<const float> expected) {
  double squares = 0;
  for (const float value : expected) squares += static_cast<double>(value) * static_cast<double>(value);
  const double allowed = kRowContract * std::sqrt(squares / static_cast<double>(expected.size()));
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (!(std::abs(static_cast<double>(got[i]) - static_cast<double>(expected[i])) <= allowed)) return i;
  }
  return 0;
}

// Where the course tells about a tensor, by the end of its name.
std::string_view page_of(std::string_view checkpoint) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 13> kPages{{
      {"embedding", "m2-forward-pass#embedding"},
      {"_norm", "m2-forward-pass#rmsnorm"},
      {"_rope", "m2-forward-pass#rope"},
      {".q", "m2-forward-pass#linear"},
      {".k", "m2-forward-pass#linear"},
      {".v", "m2-forward-pass#linear"},
      {"attention_output", "m2-forward-pass#linear"},
      {"attention", "m2-forward-pass#attention"},
      {"_residual", "m2-forward-pass#a-block-a-screen"},
      {"gated", "m2-forward-pass#swiglu"},
      {"mlp_output", "m2-forward-pass#linear"},
      {".output", "m2-forward-pass#a-block-a-screen"},
      {"logits", "m2-forward-pass#logits"},
  }};
  for (const auto& [end, page] : kPages) {
    if (checkpoint.ends_with(end)) return page;
  }
  return "m2-forward-pass#the-whole-before-the-parts";
}

// Patterns of a tensor as rows of tokens, and as rows of heads; each once, the most telling first.
std::vector<FoundPattern> patterns_of(Beside beside, std::size_t tokens, std::size_t head_dim) {
  const std::size_t width = beside.expected.size() / tokens;
  beside.shape = {tokens, width};
  beside.row = "token";
  std::vector<FoundPattern> found = find_patterns(beside);
  if (head_dim == 0 || head_dim == width) return found;
  beside.shape = {tokens * width / head_dim, head_dim};
  beside.row = "head";
  for (FoundPattern& pattern : find_patterns(beside)) {
    const auto same = [&](const FoundPattern& other) { return other.pattern == pattern.pattern; };
    if (std::none_of(found.begin(), found.end(), same)) found.push_back(std::move(pattern));
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const FoundPattern& a, const FoundPattern& b) { return a.pattern < b.pattern; });
  return found;
}

// Thrown out of a run that has shown what was asked for.
struct Enough {};

// The tensors of a run, up to a number of them.
std::vector<std::vector<float>> beginning(const RunWith& run, std::size_t count) {
  std::vector<std::vector<float>> tensors;
  if (count == 0) return tensors;
  try {
    run({}, [&](const Checkpoint&, const NamedTensor& x) {
      tensors.emplace_back(x.values.begin(), x.values.end());
      if (tensors.size() == count) throw Enough{};
    });
  } catch (const Enough&) {
  }
  return tensors;
}

// The tensor that a run with these seams has after those of `before`; empty where one of those is wrong already.
std::vector<double> tensor_after(const std::vector<std::vector<float>>& before, const RunWith& run, Seams seams) {
  std::vector<double> tensor;
  std::size_t passed = 0;
  try {
    run(std::move(seams), [&](const Checkpoint&, const NamedTensor& x) {
      if (passed == before.size()) tensor = doubles(x.values);
      if (passed == before.size() || x.values.size() != before[passed].size() ||
          !(furthest(x.values, before[passed], x.shape.at(0)).distance <= kRowContract)) {
        throw Enough{};
      }
      ++passed;
    });
  } catch (const Enough&) {
  }
  return tensor;
}

// A mistake of BrokenOps as verbs. `this` outlives them.
class BrokenVerbs {
 public:
  explicit BrokenVerbs(Mistake mistake) : mistake_(mistake), broken_(reference_, mistake) {}

  LearnerVerbs verbs() {
    LearnerVerbs all{
        .rms_norm = [this](Matrix out, ConstMatrix x, const Norm& norm) { broken_.do_rms_norm(out, x, norm); },
        .rope = [this](auto x, auto positions, const Rope& rope) { broken_.do_rope(x, positions, rope); },
        .store_kv = [this](Ops&, const BatchRows& rows, std::size_t layer, auto k,
                           auto v) { broken_.do_store_kv(rows, layer, k, v); },
        .attention = [this](auto out, auto q, const BatchRows& rows, std::size_t layer,
                            const AttentionSettings& settings) { broken_.do_attention(out, q, rows, layer, settings); },
        .gate = [this](Matrix out, ConstMatrix gate, ConstMatrix up,
                       Activation activation) { broken_.do_gate(out, gate, up, activation); },
        .add = [this](Matrix x, ConstMatrix y) { broken_.do_add(x, y); }};
    // The other two cost more: an engine with one of them decodes every weight.
    if (mistake_ == Mistake::embedding_scale) {
      all.embed = [this](Matrix out, auto ids, const PackedMatrix& table, float scale) {
        broken_.do_embed(out, ids, table, scale);
      };
    } else if (mistake_ == Mistake::linear_transposed || mistake_ == Mistake::linear_bias) {
      all.linear = [this](Ops&, Matrix out, ConstMatrix x, const PackedMatrix& w) { broken_.do_linear(out, x, w); };
    }
    return all;
  }

 private:
  Mistake mistake_;
  ThreadTeam team_{1};
  ReferenceOps reference_{team_};
  BrokenOps broken_;
};

}  // namespace
}  // namespace divergence

std::string Divergence::sentence() const {
  const std::string where = head ? fmt::format(", head {}", *head) : "";
  const std::string off = std::isfinite(distance) ? fmt::format("off by {:.2g} of its length", distance) : "no number";
  return fmt::format("{}, token {}{}, place {}: {:.6g} instead of {:.6g} (the row is {}, allowed is {:g})", checkpoint,
                     token, where, index, got, expected, off, kRowContract);
}

TracedOps::Listener SideBySide::sound() {
  return [this](const Checkpoint& at, const NamedTensor& x) {
    sound_.push_back({at.text(), {x.values.begin(), x.values.end()}});
  };
}

TracedOps::Listener SideBySide::theirs() {
  return [this](const Checkpoint& at, const NamedTensor& x) { compare(at, x); };
}

void SideBySide::compare(const Checkpoint& at, const NamedTensor& x) {
  if (std::string_view(at.name) == "embedding") {  // a pass begins
    first_token_ += pass_rows_;
    pass_rows_ = x.shape.at(0);
  }
  if (compared_ >= sound_.size() || sound_[compared_].checkpoint != at.text() ||
      sound_[compared_].values.size() != x.values.size()) {
    return;  // of other tokens: there is nothing to compare
  }
  const auto [distance, first_wrong] = divergence::furthest(x.values, sound_[compared_].values, x.shape.at(0));
  if (first_wrong && !divergence_) divergence_ = describe(at, x, *first_wrong);
  distances_.push_back({at.text(), at.layer, distance});
  ++compared_;
  // A layer's tensors are kept until the next begins: a wrong one may be an older one, unchanged.
  if (std::string_view(at.name) != "output" && std::string_view(at.name) != "logits") return;
  for (; first_kept_ + 1 < compared_; ++first_kept_) sound_[first_kept_].values = {};
}

Divergence SideBySide::describe(const Checkpoint& at, const NamedTensor& x, std::size_t row) const {
  const std::span<const float> sound = sound_[compared_].values;
  const std::size_t rows = x.shape[0], width = sound.size() / rows, begin = row * width;
  const std::size_t place = divergence::first_place(x.values.subspan(begin, width), sound.subspan(begin, width));
  const std::string_view last_axis = x.axes.back();
  const bool has_heads = last_axis == "head_dim" || last_axis == "query_dim" || last_axis == "kv_dim";
  const std::size_t head_dim = has_heads && head_dim_ > 0 && width % head_dim_ == 0 ? head_dim_ : 0;
  Beside beside{.expected = divergence::doubles(sound), .got = divergence::doubles(x.values)};
  for (std::size_t i = first_kept_; i < compared_; ++i) {
    if (sound_[i].values.size() == sound.size()) {
      beside.inputs.push_back({sound_[i].checkpoint, divergence::doubles(sound_[i].values)});
    }
  }
  Divergence d;
  d.checkpoint = at.text();
  d.layer = at.layer;
  d.token = first_token_ + pass_rows_ - rows + row;  // the logits' rows are the last ones
  if (head_dim > 0) d.head = place / head_dim;
  d.index = head_dim > 0 ? place % head_dim : place;
  d.expected = static_cast<double>(sound[begin + place]);
  d.got = static_cast<double>(x.values[begin + place]);
  d.distance = relative_distance(x.values.subspan(begin, width), sound.subspan(begin, width));
  d.passed_before = compared_;
  d.sound = beside.expected;
  d.theirs = beside.got;
  d.row = row;
  d.row_width = width;
  d.head_dim = head_dim;
  d.patterns = divergence::patterns_of(std::move(beside), rows, head_dim);
  return d;
}

std::optional<Divergence> first_divergence(SeamedEngine& theirs, SeamedEngine& sound, std::span<const TokenId> ids) {
  SideBySide both(sound.model().model().config.head_dim);
  sound.trace(ids, both.sound());
  theirs.trace(ids, both.theirs());
  return both.first();
}

double likeness(std::span<const double> expected, std::span<const double> got, std::span<const double> mistaken) {
  if (mistaken.size() != got.size() || expected.size() != got.size()) return 0;
  double both = 0, of_got = 0, of_mistake = 0, between = 0, length = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (std::isfinite(got[i]) != std::isfinite(mistaken[i])) return 0;
    if (!std::isfinite(got[i]) || !std::isfinite(expected[i])) continue;
    const double g = got[i] - expected[i], m = mistaken[i] - expected[i];
    both += g * m;
    of_got += g * g;
    of_mistake += m * m;
    between += (g - m) * (g - m);
    length += expected[i] * expected[i];
  }
  // A different order of adding, no more: little beside the numbers, or beside the error where that is little itself.
  constexpr double kSame = 1e-2, kRounding = 1e-6;
  if (of_got == 0 && of_mistake == 0) return 1;  // of what is a number nothing differs, and what is none is the same
  if (std::sqrt(between) <= std::max(kSame * std::sqrt(of_got), kRounding * std::sqrt(length)) && of_mistake > 0) {
    return 1;
  }
  return of_got == 0 || of_mistake == 0 ? 0 : std::max(0.0, both / std::sqrt(of_got * of_mistake));
}

std::vector<Cause> likely_causes(const Divergence& d, const Exercise* exercise, const RunWith& run) {
  std::vector<Cause> exact;
  Guesses near;
  // A mistake that shows before theirs does is another one.
  const std::vector<std::vector<float>> before = divergence::beginning(run, d.passed_before);
  const auto consider = [&](Cause cause, Seams seams) {
    const double like = likeness(d.sound, d.theirs, divergence::tensor_after(before, run, std::move(seams)));
    if (like == 1)
      exact.push_back(std::move(cause));
    else if (like >= kSameWay)
      near.push_back({like, std::move(cause)});
  };
  if (exercise != nullptr && exercise->place != nullptr) {
    for (const KnownMistake& mistake : exercise->mistakes) {
      if (!mistake.findings.empty()) continue;  // no number shows it
      consider(cause_of(mistake), seams_with(*exercise, mistake.call));
    }
  }
  if (exact.empty()) {
    for (const MistakeInfo& mistake : mistakes()) {
      divergence::BrokenVerbs broken(mistake.mistake);
      Seams seams;
      seams.verbs = broken.verbs();
      consider({std::string(mistake.name), std::string(mistake.description), std::string(mistake.page)},
               std::move(seams));
    }
  }
  std::vector<Cause> causes = std::move(exact);
  for (const FoundPattern& found : d.patterns) {
    causes.push_back(
        {std::string(name_of(found.pattern)), found.sentence, std::string(divergence::page_of(d.checkpoint))});
  }
  add_best(causes, near);
  return each_once(causes);
}

}  // namespace rung::learn
