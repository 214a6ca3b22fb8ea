// The first-divergence debugger: a number that was planted is found where it stands; every mistake of BrokenOps is
// named; and so are mistakes in verbs that were written for this test, by other means than the debugger's own.
#include "learn/divergence.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "model/golden_model.h"
#include "ops/broken.h"
#include "paths.h"

namespace rung::learn {
namespace {

// A model and some tokens: all but the last two in one pass, these one at a time, as prefill and decode do.
class Example {
 public:
  explicit Example(const std::string& folder, std::vector<std::int32_t> ids = {})
      : files_(std::filesystem::exists(path(folder) / "model.gguf") ? path(folder) / "model.gguf" : path(folder)),
        model_(bind_weights(files_.plan, files_.tensors())),
        ids_(ids.empty() ? Golden(path(folder)).ids : std::move(ids)) {}

  const ModelConfig& config() const { return model_.config; }

  void run(Ops& ops, const TracedOps::Listener& listener) const {
    TracedOps traced(ops, listener);
    KvCache cache(kv_shape(model_.config));
    Forward forward(model_, traced, ids_.size());
    for (std::size_t at = 0; at < ids_.size();) {
      const std::size_t count = at == 0 ? ids_.size() - 2 : 1;
      Batch batch;
      batch.add(std::span(ids_).subspan(at, count), at, cache, [](std::size_t) { return true; });
      forward.run(batch);
      at += count;
    }
  }
  void run(const LearnerVerbs& verbs, const TracedOps::Listener& listener) const {
    ThreadTeam team{1};
    ReferenceOps reference{team};
    LearnerOps ops{reference, verbs};
    run(ops, listener);
  }

  SideBySide beside(const LearnerVerbs& verbs) const {
    SideBySide both(config().head_dim);
    run({}, both.sound());
    run(verbs, both.theirs());
    return both;
  }
  std::vector<Cause> causes(const Divergence& divergence) const {
    return likely_causes(divergence, nullptr, [this](const Seams& seams, const TracedOps::Listener& listener) {
      run(seams.verbs, listener);
    });
  }

 private:
  static std::filesystem::path path(const std::string& folder) {
    return folder == "pebble" ? source_folder() / "models" / "pebble" : golden_folder() / "models" / folder;
  }
  GoldenFiles files_;
  Model model_;
  std::vector<std::int32_t> ids_;
};

const Example& pebble() {
  static const Example example("pebble", {5, 300, 17, 1200, 64, 9, 801, 33, 2, 1500});
  return example;
}

using Heads3 = Tensor<float, Tokens, Heads, HeadDim>;
using ConstHeads3 = Tensor<const float, Tokens, Heads, HeadDim>;
using Positions = std::span<const std::uint32_t>;

// ---- where ----

// RoPE as the reference has it; in the third layer (six calls of it before, two a layer), the number at [token 3, head
// 1, place 17] is then another.
LearnerVerbs one_number_planted(float value) {
  return {.rope = [value, calls = 0](Heads3 x, Positions positions, const Rope& rope) mutable {
    for (std::size_t t = 0; t < positions.size(); ++t) {
      for (std::size_t h = 0; h < x.extent<Heads>(); ++h) {
        for (std::size_t i = 0; i < rope.inverse_frequencies.size(); ++i) {
          const float angle = static_cast<float>(positions[t]) * rope.inverse_frequencies[i];
          float &a = x[t][h][i], &b = x[t][h][i + rope.inverse_frequencies.size()];
          const float turned = a * std::cos(angle) - b * std::sin(angle);
          b = b * std::cos(angle) + a * std::sin(angle);
          a = turned;
        }
      }
    }
    if (calls++ == 4) x[3][1][17] = value;
  }};
}

TEST(Divergence, NamesTensorTokenHeadAndPlace) {
  const SideBySide both = pebble().beside(one_number_planted(123));
  ASSERT_TRUE(both.first());
  const Divergence& d = *both.first();
  EXPECT_EQ(d.checkpoint, "layer.2.q_rope");
  EXPECT_EQ(d.layer, 2);
  EXPECT_EQ(d.token, 3u);
  EXPECT_EQ(d.head, 1u);
  EXPECT_EQ(d.index, 17u);
  EXPECT_EQ(d.got, 123);
  EXPECT_EQ(d.sound.size(), 8 * 4 * 32u);
  EXPECT_EQ(d.expected, d.sound[(3 * 4 + 1) * 32 + 17]);
  EXPECT_GT(d.distance, 1);
  ASSERT_FALSE(d.patterns.empty());
  EXPECT_EQ(d.patterns[0].sentence, fmt::format("only one is wrong, at place {}", (3 * 4 + 1) * 32 + 17));
  EXPECT_EQ(d.sentence(),
            fmt::format("layer.2.q_rope, token 3, head 1, place 17: 123 instead of {:.6g} (the row is off by {:.2g} of "
                        "its length, allowed is 0.0001)",
                        d.expected, d.distance));
}

TEST(Divergence, WhatIsNoNumberDiffers) {
  const SideBySide both = pebble().beside(one_number_planted(std::nanf("")));
  ASSERT_TRUE(both.first());
  EXPECT_EQ(both.first()->checkpoint, "layer.2.q_rope");
  EXPECT_EQ(both.first()->index, 17u);
  EXPECT_EQ(both.first()->patterns.at(0).pattern, Pattern::not_a_number);
}

TEST(Divergence, ATokenOfALaterPassKeepsItsNumber) {
  const LearnerVerbs verbs{.add = [passes = 0](Matrix x, ConstMatrix y) mutable {
    for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] += y.data()[i];
    if (passes++ / 10 == 2) x[0][5] = 99;  // ten additions a pass; the third is token 9's
  }};
  const SideBySide both = pebble().beside(verbs);
  ASSERT_TRUE(both.first());
  EXPECT_EQ(both.first()->checkpoint, "layer.0.attention_residual");
  EXPECT_EQ(both.first()->token, 9u);
  EXPECT_FALSE(both.first()->head);
  EXPECT_EQ(both.first()->index, 5u);
}

TEST(Divergence, OfEachTensorTheRowThatDiffersMost) {
  const SideBySide both = pebble().beside(one_number_planted(123));
  std::size_t sound = 0;
  for (const SideBySide::Distance& distance : both.distances()) {
    if (distance.checkpoint == "layer.2.q_rope") break;
    EXPECT_LT(distance.distance, kRowContract) << distance.checkpoint;
    ++sound;
  }
  EXPECT_EQ(sound, both.first()->passed_before);
  EXPECT_EQ(both.distances().size(), 3 * (3 + 5 * 17u));  // three passes
}

TEST(Divergence, NothingDiffersBetweenARunAndItself) {
  EXPECT_FALSE(pebble().beside({}).first());
  EXPECT_FALSE(pebble().beside(one_number_planted(0)).first() == std::nullopt);
}

TEST(Divergence, LikenessIsOneForTheSameErrorAndTheCosineOtherwise) {
  const std::vector<double> sound{1, 2, 3}, got{2, 2, 3}, farther{4, 2, 3}, other{1, 3, 3}, nan{2, 2, std::nan("")};
  EXPECT_EQ(likeness(sound, got, got), 1);
  EXPECT_EQ(likeness(sound, got, sound), 0);
  EXPECT_EQ(likeness(sound, got, other), 0);
  EXPECT_EQ(likeness(sound, got, nan), 0);
  EXPECT_EQ(likeness(sound, nan, nan), 1);
  EXPECT_GT(likeness(sound, got, farther), 0.99);
}

// ---- why ----

// A mistake, and whose it is.
struct Injected {
  std::string cause;
  std::string how;
  LearnerVerbs verbs;
  std::string model = "pebble";
};

// BrokenOps as verbs; what they need lives in `kept`.
struct Kept {
  explicit Kept(Mistake mistake) : ops(reference, mistake) {}
  ThreadTeam team{1};
  ReferenceOps reference{team};
  BrokenOps ops;
};
LearnerVerbs verbs_of(Ops& ops) {
  return {.embed = [&ops](Matrix out, std::span<const std::int32_t> ids, const PackedMatrix& table,
                          float scale) { ops.do_embed(out, ids, table, scale); },
          .rms_norm = [&ops](Matrix out, ConstMatrix x, const Norm& norm) { ops.do_rms_norm(out, x, norm); },
          .linear = [&ops](Ops&, Matrix out, ConstMatrix x, const PackedMatrix& w) { ops.do_linear(out, x, w); },
          .rope = [&ops](Heads3 x, Positions positions, const Rope& rope) { ops.do_rope(x, positions, rope); },
          .store_kv = [&ops](Ops&, const BatchRows& rows, std::size_t layer, auto k,
                             auto v) { ops.do_store_kv(rows, layer, k, v); },
          .attention = [&ops](Heads3 out, ConstHeads3 q, const BatchRows& rows, std::size_t layer,
                              const AttentionSettings& settings) { ops.do_attention(out, q, rows, layer, settings); },
          .gate = [&ops](Matrix out, ConstMatrix gate, ConstMatrix up,
                         Activation activation) { ops.do_gate(out, gate, up, activation); },
          .add = [&ops](Matrix x, ConstMatrix y) { ops.do_add(x, y); }};
}

// A model in which a mistake shows.
std::string model_for(Mistake mistake) {
  switch (mistake) {
    case Mistake::embedding_scale: return "gemma3";
    case Mistake::linear_bias: return "llama-bias";
    case Mistake::window_forgotten: return "gemma3";
    default: return "pebble";
  }
}

using NormRow = void (*)(std::span<float> out, std::span<const float> x, std::span<const float> w, float epsilon);
LearnerVerbs norm(NormRow row) {
  return {.rms_norm = [row](Matrix out, ConstMatrix x, const Norm& n) {
    for (std::size_t r = 0; r < x.extent<Rows>(); ++r) row(out[r].span(), x[r].span(), n.weight, n.epsilon);
  }};
}
LearnerVerbs rope(void (*head)(std::span<float> x, float position, std::span<const float> frequencies)) {
  return {.rope = [head](Heads3 x, Positions positions, const Rope& r) {
    for (std::size_t t = 0; t < positions.size(); ++t) {
      for (std::size_t h = 0; h < x.extent<Heads>(); ++h) {
        head(x[t][h].span(), static_cast<float>(positions[t]), r.inverse_frequencies);
      }
    }
  }};
}
LearnerVerbs gate(float (*f)(float gate, float up)) {
  return {.gate = [f](Matrix out, ConstMatrix g, ConstMatrix up, Activation) {
    for (std::size_t i = 0; i < out.size(); ++i) out.data()[i] = f(g.data()[i], up.data()[i]);
  }};
}

// Plain attention over what the cache keeps; every field is one way to be wrong.
struct Plain {
  std::size_t (*kv_head)(std::size_t h, std::size_t heads, std::size_t kv_heads) =
      [](std::size_t h, std::size_t heads, std::size_t kv_heads) { return h / (heads / kv_heads); };
  std::size_t (*end)(std::size_t position, std::size_t kept) = [](std::size_t position, std::size_t) {
    return position + 1;
  };
  float scale = 0;  // 0: the model's
  bool normalised = true;
};
LearnerVerbs attention(const Plain& plain) {
  return {.attention = [plain](Heads3 out, ConstHeads3 q, const BatchRows& rows, std::size_t layer,
                               const AttentionSettings& settings) {
    const std::size_t heads = q.extent<Heads>(), dim = q.extent<HeadDim>();
    std::vector<float> keys(kKvBlock * dim), values(kKvBlock * dim);
    for (std::size_t t = 0; t < rows.size(); ++t) {
      const KvCache& cache = *rows.caches[t];
      const std::size_t end = plain.end(rows.positions[t], rows.positions.back() + 1);
      for (std::size_t h = 0; h < heads; ++h) {
        const std::size_t g = plain.kv_head(h, heads, cache.shape().kv_heads);
        const float* const k = cache.keys(layer, 0, g, end, keys.data());
        const float* const v = cache.values(layer, 0, g, end, values.data());
        std::vector<float> weights;
        float sum = 0;
        for (std::size_t j = 0; j < end; ++j) {
          float dot = 0;
          for (std::size_t d = 0; d < dim; ++d) dot += q[t][h][d] * k[j * dim + d];
          weights.push_back(std::exp(dot * (plain.scale == 0 ? settings.scale : plain.scale)));
          sum += weights.back();
        }
        for (std::size_t d = 0; d < dim; ++d) {
          out[t][h][d] = 0;
          for (std::size_t j = 0; j < end; ++j) out[t][h][d] += weights[j] * v[j * dim + d];
          if (plain.normalised) out[t][h][d] /= sum;
        }
      }
    }
  }};
}

std::vector<Injected> by_hand() {
  std::vector<Injected> all;
  all.push_back({"norm-sum", "a dot product with itself, its root", norm([](auto out, auto x, auto w, float epsilon) {
                   float dot = epsilon;
                   for (const float v : x) dot = std::fma(v, v, dot);
                   for (std::size_t i = 0; i < x.size(); ++i) out[i] = w[i] * (x[i] / std::sqrt(dot));
                 })});
  all.push_back({"norm-epsilon", "an epsilon of 3e-3", norm([](auto out, auto x, auto w, float) {
                   double mean = 0;
                   for (const float v : x) mean += static_cast<double>(v) * static_cast<double>(v);
                   mean /= static_cast<double>(x.size());
                   for (std::size_t i = 0; i < x.size(); ++i) {
                     out[i] = static_cast<float>(static_cast<double>(x[i]) / std::sqrt(mean + 3e-3)) * w[i];
                   }
                 })});
  all.push_back({"norm-centred", "the variance as E[x²] − E[x]²", norm([](auto out, auto x, auto w, float epsilon) {
                   double mean = 0, squares = 0;
                   for (const float v : x) mean += static_cast<double>(v);
                   for (const float v : x) squares += static_cast<double>(v) * static_cast<double>(v);
                   const auto n = static_cast<double>(x.size());
                   mean /= n;
                   const double deviation = std::sqrt(squares / n - mean * mean + static_cast<double>(epsilon));
                   for (std::size_t i = 0; i < x.size(); ++i) {
                     out[i] = static_cast<float>((static_cast<double>(x[i]) - mean) / deviation) * w[i];
                   }
                 })});
  all.push_back({"norm-weight", "the weight not looked at", norm([](auto out, auto x, auto, float epsilon) {
                   float squares = 0;
                   for (const float v : x) squares += v * v;
                   const float root = std::sqrt(squares / static_cast<float>(x.size()) + epsilon);
                   std::transform(x.begin(), x.end(), out.begin(), [&](float v) { return v / root; });
                 })});
  all.push_back({"rope-backwards", "an angle below zero", rope([](auto x, float position, auto f) {
                   for (std::size_t i = 0; i < f.size(); ++i) {
                     const float c = std::cos(-position * f[i]), s = std::sin(-position * f[i]), a = x[i];
                     x[i] = a * c - x[i + f.size()] * s;
                     x[i + f.size()] = x[i + f.size()] * c + a * s;
                   }
                 })});
  all.push_back({"rope-pairing", "two steps at a time", rope([](auto x, float position, auto f) {
                   for (std::size_t i = 0; i + 1 < x.size(); i += 2) {
                     const float c = std::cos(position * f[i / 2]), s = std::sin(position * f[i / 2]), a = x[i];
                     x[i] = a * c - x[i + 1] * s;
                     x[i + 1] = x[i + 1] * c + a * s;
                   }
                 })});
  all.push_back({"rope-in-place", "no copy of the first", rope([](auto x, float position, auto f) {
                   const std::size_t half = x.size() / 2;
                   for (std::size_t i = 0; i < half; ++i) {
                     const float c = std::cos(position * f[i]), s = std::sin(position * f[i]);
                     x[i] = x[i] * c - x[i + half] * s;
                     x[i + half] = x[i] * s + x[i + half] * c;
                   }
                 })});
  all.push_back({"rope-position", "from one", rope([](auto x, float position, auto f) {
                   for (std::size_t i = 0; i < f.size(); ++i) {
                     const float c = std::cos((position + 1) * f[i]), s = std::sin((position + 1) * f[i]), a = x[i];
                     x[i] = a * c - x[i + f.size()] * s;
                     x[i + f.size()] = x[i + f.size()] * c + a * s;
                   }
                 })});
  all.push_back(
      {"rope-frequencies", "10000^(-i/32), not looking at the table", rope([](auto x, float position, auto f) {
         for (std::size_t i = 0; i < f.size(); ++i) {
           const float angle = position * std::pow(10000.0f, -static_cast<float>(i) / 32);
           const float c = std::cos(angle), s = std::sin(angle), a = x[i];
           x[i] = a * c - x[i + f.size()] * s;
           x[i + f.size()] = x[i + f.size()] * c + a * s;
         }
       })});
  all.push_back({"rope-missing", "nothing done", rope([](auto, float, auto) {})});
  all.push_back(
      {"gate-up-swapped", "silu of up", gate([](float g, float up) { return g * up / (1 + std::exp(-up)); })});
  all.push_back({"activation-missing", "a product", gate([](float g, float up) { return g * up; })});
  all.push_back(
      {"activation-sigmoid", "1 / (1 + e^-g)", gate([](float g, float up) { return up / (1 + std::exp(-g)); })});
  all.push_back({"activation-other", "GELU by erf",
                 gate([](float g, float up) { return 0.5f * g * (1 + std::erf(g / std::sqrt(2.0f))) * up; })});
  all.push_back({"sign-flipped", "e^g where e^-g belongs, and up turned round",
                 gate([](float g, float up) { return -g * up / (1 + std::exp(-g)); })});
  all.push_back({"residual-missing", "=, not +=", {.add = [](Matrix x, ConstMatrix y) {
                   for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = y.data()[i];
                 }}});
  all.push_back({"offset-of-an-input", "added twice", {.add = [](Matrix x, ConstMatrix y) {
                   for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] += 2 * y.data()[i];
                 }}});
  all.push_back({"query-scale", "plain scores", attention({.scale = 1})});
  all.push_back({"gqa-grouping", "h mod kv_heads",
                 attention({.kv_head = [](std::size_t h, std::size_t, std::size_t kv) { return h % kv; }})});
  all.push_back(
      {"causal-mask", "all that is kept", attention({.end = [](std::size_t, std::size_t kept) { return kept; }})});
  all.push_back({"mask-one-less", "j < t", attention({.end = [](std::size_t position, std::size_t) {
                   return std::max<std::size_t>(position, 1);
                 }})});
  all.push_back({"factor-by-row", "no division by the sum", attention({.normalised = false})});
  all.push_back({"keys-values-swapped",
                 "v, k",
                 {.store_kv = [](Ops& inner, const BatchRows& rows, std::size_t layer, auto k, auto v) {
                   inner.do_store_kv(rows, layer, v, k);
                 }}});
  all.push_back({"linear-transposed",
                 "w[i·out + o]",
                 {.linear = [](Ops& inner, Matrix out, ConstMatrix x, const PackedMatrix& w) {
                   if (w.dtype != DType::bf16) return inner.do_linear(out, x, w);
                   const auto* const values = reinterpret_cast<const std::uint16_t*>(w.data);
                   for (std::size_t t = 0; t < out.extent<Rows>(); ++t) {
                     for (std::size_t o = 0; o < w.rows; ++o) {
                       float sum = 0;
                       for (std::size_t i = 0; i < w.columns; ++i) {
                         const std::uint32_t bits = std::uint32_t{values[i * w.rows + o]} << 16;
                         sum += x[t][i] * std::bit_cast<float>(bits);
                       }
                       out[t][o] = sum;
                     }
                   }
                 }}});
  return all;
}

// The table: where the true cause stands in the list.
TEST(Divergence, NamesTheCauseFirstInEightOfTenAndSecondInNearlyAll) {
  std::vector<std::unique_ptr<Kept>> kept;
  std::vector<Injected> all = by_hand();
  for (const MistakeInfo& mistake : mistakes()) {
    kept.push_back(std::make_unique<Kept>(mistake.mistake));
    all.push_back({std::string(mistake.name), "BrokenOps", verbs_of(kept.back()->ops), model_for(mistake.mistake)});
  }
  std::size_t first = 0, among_two = 0;
  std::string table;
  for (const Injected& injected : all) {
    const Example other(injected.model == "pebble" ? "llama-bias" : injected.model);
    const Example& example = injected.model == "pebble" ? pebble() : other;
    const SideBySide both = example.beside(injected.verbs);
    ASSERT_TRUE(both.first()) << injected.cause << ", " << injected.how << ": nothing differs";
    const std::vector<Cause> causes = example.causes(*both.first());
    const auto found =
        std::find_if(causes.begin(), causes.end(), [&](const Cause& cause) { return cause.id == injected.cause; });
    const std::size_t place = static_cast<std::size_t>(found - causes.begin());
    first += found != causes.end() && place == 0;
    among_two += found != causes.end() && place < 2;
    table += fmt::format("{:>2}  {:<22} {:<42} {:<27} {}\n", found == causes.end() ? "-" : std::to_string(place + 1),
                         injected.cause, injected.how, both.first()->checkpoint,
                         place == 0 || causes.empty() ? "" : "first: " + causes[0].id);
    for (const Cause& cause : causes) EXPECT_FALSE(cause.sentence.empty() || cause.page.empty()) << cause.id;
    const auto is_guess = [](const Cause& cause) { return cause.sentence.starts_with("perhaps: "); };
    EXPECT_LE(std::count_if(causes.begin(), causes.end(), is_guess), 1) << injected.cause << ", " << injected.how;
  }
  std::printf("%s%zu of %zu first, %zu among the first two\n", table.c_str(), first, all.size(), among_two);
  EXPECT_GE(static_cast<double>(first), 0.8 * static_cast<double>(all.size())) << table;
  EXPECT_GE(static_cast<double>(among_two), 0.95 * static_cast<double>(all.size())) << table;
}

}  // namespace
}  // namespace rung::learn
