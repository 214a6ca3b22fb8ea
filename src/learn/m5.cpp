// The exercises of milestone M5: what must come out, the classic mistakes, the place in the engine. As in m2.cpp each
// has a namespace. In the engine pebble's matrices become blocks of Q4_0 and floats again when it is loaded.
#include <algorithm>
#include <cmath>
#include <utility>

#include "learn/m2.h"
#include "learn/seams.h"
#include "tensor/blocks.h"
#include "tensor/encode.h"

namespace rung::learn {

namespace {

using Bytes = std::span<std::uint8_t>;
constexpr std::size_t kWeightsInBlock = 32;

// change(block) for each 32 values of a matrix's rows; a matrix with other rows stays as it is.
template <class Change>
void place_at_load(Seams& seams, const Change& change) {
  seams.load = [change](const LoadedModel&, const PackedMatrix& matrix, std::span<float> values) {
    if (matrix.columns % kWeightsInBlock != 0) return;
    for (std::size_t i = 0; i < values.size(); i += kWeightsInBlock) change(values.subspan(i, kWeightsInBlock));
  };
}

// The nearest codes, and back.
void round_to(std::span<float> back, In weights, float scale) {
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const float steps = scale == 0 ? 0 : std::clamp(std::floor(weights[i] / scale + 0.5f), -8.0f, 7.0f);
    back[i] = to_f32(to_f16(scale)) * steps;
  }
}

}  // namespace

// ---- m5-scale: the farthest weight / −8 ----
namespace scale_of_block {

float reference(In weights) {
  float farthest = 0;
  for (const float w : weights) {
    if (std::fabs(w) > std::fabs(farthest)) farthest = w;
  }
  return farthest / -8;
}

namespace {

constexpr const char* kPage = "m5-quantization#a-block-by-hand";

float sign_lost(In weights) { return -std::fabs(reference(weights)); }
float largest(In weights) { return *std::max_element(weights.begin(), weights.end()) / -8; }
float by_seven(In weights) { return std::fabs(reference(weights)) * 8 / 7; }
float range(In weights) {
  const auto [least, most] = std::minmax_element(weights.begin(), weights.end());
  return (*most - *least) / 15;
}
float by_eight(In weights) { return -reference(weights); }
float by_sixteen(In weights) { return reference(weights) / 2; }

std::vector<Argument> arguments(std::vector<float> weights) { return {{"weights", std::move(weights)}}; }

std::vector<Case> by_hand() {
  return {{.title = "the farthest is positive",
           .arguments = arguments({0.9f, -0.3f, 0.1f, -0.7f}),
           .expected = {.result = -0.1125},
           .arithmetic = "0.9 is farthest from zero\n0.9 / −8 = −0.1125"},
          {.title = "the farthest is negative",
           .arguments = arguments({-0.9f, 0.3f, 0.1f, 0.7f}),
           .expected = {.result = 0.1125},
           .arithmetic = "−0.9 is farthest from zero\n−0.9 / −8 = 0.1125"},
          {.title = "a block of zeros",
           .arguments = arguments({0, 0, 0, 0}),
           .expected = {.result = 0.0},
           .arithmetic = "0 / −8 = 0"}};
}

std::vector<Argument> random(Random& random) { return arguments(floats(random, kWeightsInBlock)); }

void place(Seams& seams, LearnerFunction f) {
  place_at_load(seams, [f](std::span<float> block) {
    const std::vector<float> weights(block.begin(), block.end());
    round_to(block, weights, call<float>(f, weights));
  });
}

}  // namespace

Exercise exercise() {
  return {
      .name = "m5-scale",
      .reference = learn::reference<reference>(),
      .by_hand = by_hand,
      .random = random,
      .tolerance = 1e-6,
      .mistakes =
          {{"sign-lost", "the magnitude was divided: the farthest weight keeps its sign", kPage, function<sign_lost>},
           {"largest-not-farthest", "the largest weight was taken: a negative one may be farther from zero", kPage,
            function<largest>},
           {"divided-by-seven", "divided by 7: it is −8, the side that has one step more", kPage, function<by_seven>},
           {"range-for-farthest", "that is the range from least to most: this format's steps lie around zero", kPage,
            function<range>},
           {"divided-by-sixteen", "divided by 16: of the sixteen codes only eight lie on one side of zero", kPage,
            function<by_sixteen>},
           {"divided-by-eight", "divided by 8: it is −8, the side that has one step more", kPage, function<by_eight>}},
      .place = place,
      .changes_pebble = true};
}

}  // namespace scale_of_block

// ---- m5-block: codes of four bits, two in a byte ----
namespace codes_of_block {
namespace {

constexpr const char* kPage = "m5-quantization#the-formula";

// The file format's own writer. It finds the scale by itself: the one that all cases have.
void reference(Bytes bytes, In weights, float) {
  BlockQ4_0 block;
  encode_row(reinterpret_cast<std::byte*>(&block), DType::q4_0, weights);
  std::copy(std::begin(block.q), std::end(block.q), bytes.begin());
}

struct Rule {
  float moved = 8.5f;
  int top = 15;
  bool neighbours = false, swapped = false;
  int of_nothing = 8;  // where the scale is 0
};
void by_rule(Bytes bytes, In weights, float scale, const Rule& rule) {
  const auto code = [&](std::size_t i) {
    return scale == 0 ? rule.of_nothing : std::min(rule.top, static_cast<int>(weights[i] / scale + rule.moved));
  };
  for (std::size_t j = 0; j < bytes.size(); ++j) {
    int low = rule.neighbours ? code(2 * j) : code(j), high = rule.neighbours ? code(2 * j + 1) : code(j + 16);
    if (rule.swapped) std::swap(low, high);
    bytes[j] = static_cast<std::uint8_t>(low | high << 4);
  }
}
void neighbours(Bytes bytes, In weights, float scale) { by_rule(bytes, weights, scale, {.neighbours = true}); }
void cut_off(Bytes bytes, In weights, float scale) { by_rule(bytes, weights, scale, {.moved = 8}); }
void sixteen(Bytes bytes, In weights, float scale) { by_rule(bytes, weights, scale, {.top = 16}); }
void swapped(Bytes bytes, In weights, float scale) { by_rule(bytes, weights, scale, {.swapped = true}); }
// 0 / 0 is no number, and machines make other whole numbers of it; of these the four lower bits are 0.
void zero_divided(Bytes bytes, In weights, float scale) { by_rule(bytes, weights, scale, {.of_nothing = 0}); }
void not_moved(Bytes bytes, In weights, float scale) { by_rule(bytes, weights, scale, {.moved = 0.5f}); }

std::vector<Argument> arguments(std::vector<float> weights) {
  const float scale = scale_of_block::reference(weights);
  return {
      {"bytes", std::vector<std::uint8_t>(16), {}, true}, {"weights", std::move(weights)}, {"scale", double{scale}}};
}

std::vector<Case> by_hand() {
  std::vector<float> four(kWeightsInBlock), ends(kWeightsInBlock);
  four[0] = 0.9f, four[1] = -0.3f, four[2] = 0.1f, four[3] = -0.7f;
  ends[0] = 0.9f, ends[16] = -0.9f, ends[17] = 0.45f;
  std::vector<std::uint8_t> four_bytes(16, 136), ends_bytes(16, 136);
  four_bytes[0] = 128, four_bytes[1] = 139, four_bytes[2] = 135, four_bytes[3] = 142;
  ends_bytes[0] = 240, ends_bytes[1] = 72;
  return {{.title = "four weights, the others are 0",
           .arguments = arguments(std::move(four)),
           .expected = {{std::move(four_bytes)}},
           .arithmetic = "scale −0.1125; 0.9 / −0.1125 + 8.5 = 0.5 → 0, −0.3: 11.17 → 11, 0.1: 7.61 → 7, "
                         "−0.7: 14.72 → 14, 0: 8.5 → 8\n"
                         "byte 0 is code 0 and code 16: 0 | 8 << 4 = 128\n11 | 128 = 139, 7 | 128 = 135, "
                         "14 | 128 = 142, 8 | 128 = 136"},
          {.title = "as far on the other side",
           .arguments = arguments(std::move(ends)),
           .expected = {{std::move(ends_bytes)}},
           .arithmetic = "weight 16: −0.9 / −0.1125 + 8.5 = 16.5 → 16, which does not fit: 15\n"
                         "byte 0: 0 | 15 << 4 = 240\nweight 17: 0.45 / −0.1125 + 8.5 = 4.5 → 4\n"
                         "byte 1: 8 | 4 << 4 = 72"},
          {.title = "a block of zeros",
           .arguments = arguments(std::vector<float>(kWeightsInBlock)),
           .expected = {{std::vector<std::uint8_t>(16, 136)}},
           .arithmetic = "the scale is 0, and all codes are 8: 8 | 8 << 4 = 136"}};
}

std::vector<Argument> random(Random& random) { return arguments(floats(random, kWeightsInBlock)); }

void place(Seams& seams, LearnerFunction f) {
  place_at_load(seams, [f](std::span<float> block) {
    const std::vector<float> own(block.begin(), block.end());
    const float scale = scale_of_block::reference(own);
    // pebble's weights have few bits, so that many lie just between two codes, where the last bit of a division
    // decides. Both codes are right: all weights but the farthest move a little, and none lies there any more.
    std::vector<float> weights = own;
    for (float& w : weights) w = w == scale * -8 ? w : w * 0.9999f;
    std::uint8_t bytes[16] = {};
    call(f, Bytes(bytes), weights, scale);
    BlockQ4_0 packed{.scale = to_f16(scale), .q = {}};
    std::copy(std::begin(bytes), std::end(bytes), packed.q);
    decode_row(block, DType::q4_0, reinterpret_cast<const std::byte*>(&packed));
  });
}

}  // namespace

Exercise exercise() {
  return {.name = "m5-block",
          .reference = learn::reference<reference>(),
          .by_hand = by_hand,
          .random = random,
          .tolerance = 0,
          .mistakes = {{"neighbours-share-a-byte", "codes 2j and 2j + 1 share a byte: it is j and j + 16", kPage,
                        function<neighbours>},
                       {"not-rounded", "codes are cut off, not rounded: add ½ before the conversion", kPage,
                        function<cut_off>},
                       {"code-sixteen", "a code of 16 does not fit into four bits: 15 is the largest", kPage,
                        function<sixteen>},
                       {"halves-swapped", "code j belongs into the lower four bits, code j + 16 into the upper", kPage,
                        function<swapped>},
                       {"not-moved-up", "codes are not moved up by 8", kPage, function<not_moved>},
                       {"divided-by-zero", "0 / 0 is no number: where the scale is 0, every code is 8", kPage,
                        function<zero_divided>}},
          .place = place,
          .changes_pebble = true};
}

}  // namespace codes_of_block

// ---- m5-error: Σ importance·(weights − back)² ----
namespace error_of_block {
namespace {

constexpr const char* kPage = "m5-quantization#better-four-bits";

template <class Term>
float sum_of(In weights, In back, In importance, const Term& term) {
  float sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) sum += term(weights[i] - back[i], importance[i]);
  return sum;
}
float reference(In weights, In back, In importance) {
  return sum_of(weights, back, importance, [](float off, float important) { return important * off * off; });
}
float with_sign(In weights, In back, In importance) {
  return sum_of(weights, back, importance, [](float off, float important) { return important * off; });
}
float alike(In weights, In back, In importance) {
  return sum_of(weights, back, importance, [](float off, float) { return off * off; });
}
float squared_importance(In weights, In back, In importance) {
  return sum_of(weights, back, importance,
                [](float off, float important) { return important * off * important * off; });
}
float magnitudes(In weights, In back, In importance) {
  return sum_of(weights, back, importance, [](float off, float important) { return important * std::fabs(off); });
}
float root(In weights, In back, In importance) { return std::sqrt(reference(weights, back, importance)); }
float mean(In weights, In back, In importance) {
  return reference(weights, back, importance) / static_cast<float>(weights.size());
}

std::vector<Argument> arguments(std::vector<float> weights, std::vector<float> back, std::vector<float> importance) {
  return {{"weights", std::move(weights)}, {"back", std::move(back)}, {"importance", std::move(importance)}};
}

std::vector<Case> by_hand() {
  return {{.title = "two weights, the second twice as important",
           .arguments = arguments({1, -1}, {0.9f, -0.7f}, {1, 2}),
           .expected = {.result = 0.19},
           .arithmetic = "1 − 0.9 = 0.1, squared 0.01, times 1\n−1 + 0.7 = −0.3, squared 0.09, times 2\n"
                         "0.01 + 0.18 = 0.19"},
          {.title = "all came back as they were",
           .arguments = arguments({1, 2, 3}, {1, 2, 3}, {5, 5, 5}),
           .expected = {.result = 0.0},
           .arithmetic = "all differences are 0"}};
}

std::vector<Argument> random(Random& random) {
  const std::size_t n = whole(random, 1, kWeightsInBlock);
  std::vector<float> weights = floats(random, n), back = weights, importance = floats(random, n);
  for (float& b : back) b += static_cast<float>(random.uniform() - 0.5) * 0.3f;
  for (float& i : importance) i = i * i + 0.1f;
  return arguments(std::move(weights), std::move(back), std::move(importance));
}

// Eleven scales are tried for each block, and the one with the least error wins.
void place(Seams& seams, LearnerFunction f) {
  place_at_load(seams, [f](std::span<float> block) {
    const std::vector<float> weights(block.begin(), block.end());
    float mean_square = 0;
    for (const float w : weights) mean_square += w * w / static_cast<float>(kWeightsInBlock);
    std::vector<float> importance, back(kWeightsInBlock);
    for (const float w : weights) importance.push_back(mean_square + w * w);

    const float first = scale_of_block::reference(weights);
    float best = first, least = 0, own_least = 0;
    for (int i = 0; i <= 10; ++i) {
      const float scale = first * (1.0f + (i % 2 == 0 ? 0.01f : -0.01f) * static_cast<float>(i));
      round_to(back, weights, scale);
      // Of two that are nearly equal the last bit of a sum would decide: the second is not asked about.
      const float own = reference(weights, back, importance);
      if (i > 0 && std::fabs(own - own_least) <= 0.01f * own_least) continue;
      const float error = call<float>(f, weights, back, importance);
      if (i > 0 && !(error < least)) continue;
      best = scale, least = error, own_least = own;
    }
    round_to(block, weights, best);
  });
}

}  // namespace

Exercise exercise() {
  return {
      .name = "m5-error",
      .reference = learn::reference<reference>(),
      .by_hand = by_hand,
      .random = random,
      .tolerance = 1e-5,
      .mistakes = {{"errors-cancel", "differences are added with their sign, and cancel: square them", kPage,
                    function<with_sign>},
                   {"importance-forgotten", "importance is not used", kPage, function<alike>},
                   {"importance-squared", "importance is squared, too: it multiplies the square", kPage,
                    function<squared_importance>},
                   {"magnitudes-for-squares", "magnitudes are added: it is squares, so that large errors count more",
                    kPage, function<magnitudes>},
                   {"root-taken", "the root was taken of the sum: leave it as it is", kPage, function<root>},
                   {"mean-taken", "divided by how many there are: it is the sum", kPage, function<mean>}},
      .place = place,
      .changes_pebble = true};
}

}  // namespace error_of_block

std::vector<Exercise> m5_exercises() {
  return {scale_of_block::exercise(), codes_of_block::exercise(), error_of_block::exercise()};
}

}  // namespace rung::learn
