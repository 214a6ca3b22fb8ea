#include "measure/metal_prediction.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "kernels/metal/args.h"
#include "ops/kv_cache.h"
#include "tensor/dtype.h"

namespace rung {

namespace {

constexpr double kShareOfBandwidth = 0.8;
constexpr double kSecondsADispatch = 2.5e-6;
constexpr double kLeastSecondsAToken = 150e-6, kMostSecondsAToken = 360e-6;

// Of a name that comes in several sizes, the one of llama.cpp's table.
constexpr MacChip kChips[] = {
    {"M1", 8, 68},       {"M1 Pro", 16, 200},   {"M1 Max", 32, 400}, {"M2", 10, 100},     {"M2 Pro", 19, 200},
    {"M2 Max", 38, 400}, {"M2 Ultra", 76, 800}, {"M3", 10, 100},     {"M3 Max", 40, 400}, {"M4", 10, 120},
    {"M4 Pro", 20, 273}, {"M4 Max", 40, 546},   {"M5 Pro", 20, 307}, {"M5 Max", 40, 614},
};

// "Apple M2-Pro" → "m2pro"
std::string plain(std::string_view name) {
  std::string text;
  for (const char c : name) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    if (lower != ' ' && lower != '-' && lower != '_') text += lower;
  }
  return text.starts_with("apple") ? text.substr(5) : text;
}

// ---- What others measured

// A kernel for each node of llama.cpp's graph that computes. November 2023 (8e672ef), a layer: two norms of two, seven
// products, two ropes, two stores, six of attention (K·q, scale, mask, softmax, ·V, a copy), SiLU, a product, two sums.
// August 2026 (c1d0e7a): a norm is one, the MLP's activation one, attention two.
constexpr std::size_t kOldLayer = 25, kNewLayer = 18;
constexpr std::size_t kLayers7B = 32, kAround = 4;  // embedding, norm, its weight, head

struct PublishedChip {
  std::string_view chip;
  std::array<int, 3> percent;  // of the bandwidth: tg128 · bytes of the file ÷ GB/s, for F16, Q8_0, Q4_0; 0: not there
  std::size_t layer = kOldLayer;
};
constexpr PublishedChip kMeasured[] = {
    {"M1", {0, 83, 80}},
    {"M1 Pro", {86, 80, 70}},
    {"M1 Max", {78, 72, 58}},
    {"M2", {91, 87, 84}},
    {"M2 Pro", {88, 82, 74}},
    {"M2 Max", {83, 75, 63}},
    {"M2 Ultra", {69, 60, 45}},
    {"M3", {0, 88, 82}},
    {"M3 Max", {85, 77, 63}},
    {"M4", {83, 81, 77}},
    {"M4 Pro", {85, 81, 71}},
    {"M4 Max", {78, 71, 58}},
    {"M5 Pro", {95, 0, 83}, kNewLayer},
    {"M5 Max", {0, 0, 75}, kNewLayer},
};

struct Format {
  std::string_view name;
  DType type, head;
  double file_gib;
};
constexpr Format kPublished[] = {{"F16", DType::f16, DType::f16, 12.55},
                                 {"Q8_0", DType::q8_0, DType::q8_0, 6.67},
                                 {"Q4_0", DType::q4_0, DType::q6_k, 3.56}};

// What a token of LLaMA 7B reads: all matrices but the embedding, and keys and values (f16) of 64 tokens before it, the
// middle of 128.
double bytes_of_7b(const Format& format) {
  constexpr std::size_t hidden = 4096, intermediate = 11008, vocabulary = 32000, tokens = 65;
  const double layer = static_cast<double>(4 * hidden * row_bytes(format.type, hidden) +
                                           2 * intermediate * row_bytes(format.type, hidden) +
                                           hidden * row_bytes(format.type, intermediate));
  const double cache = static_cast<double>(tokens * 2 * hidden * 2);
  return kLayers7B * (layer + cache) + static_cast<double>(vocabulary * row_bytes(format.head, hidden));
}

BackTest::Number compared(const PublishedChip& measured, const Format& format, int percent) {
  const MacChip& chip = *find_mac_chip(measured.chip);
  const double file_bytes = format.file_gib * 1024 * 1024 * 1024;
  const MetalPrediction p = predict_metal(chip, bytes_of_7b(format), kLayers7B * measured.layer + kAround);
  return {measured.chip, format.name, percent / 100.0 * chip.gb_per_s * 1e9 / file_bytes,
          (p.least_per_second() + p.most_per_second()) / 2};
}

// ---- What MetalOps records

std::size_t blocks_seen(std::size_t before, std::size_t window) {
  const std::size_t first = window != 0 && before + 1 > window ? before + 1 - window : 0;
  return before / kKvBlock - first / kKvBlock + 1;
}

// The norm before these is a part of their kernel, unless they have so many rows that it would be made too often.
std::size_t norm_alone(std::size_t rows) { return rows > gpu::kMostNormRows ? 1 : 0; }

// A kernel each: norm with q, k and v; heads (norms, rope, store); attention, and its combination; o with the sum; norm
// with gate, up and activation; down with the sum. A norm after a branch takes the sum with it.
std::size_t dispatches_of(const DecoderLayer& layer, std::size_t blocks) {
  const PackedMatrix &q = layer.q.matrix, &k = layer.k.matrix, &v = layer.v.matrix;
  const PackedMatrix &gate = layer.mlp.gate.matrix, &up = layer.mlp.up.matrix;
  const bool three_formats = q.dtype != k.dtype && k.dtype != v.dtype && q.dtype != v.dtype;  // a kernel knows two
  const bool activates = gate.dtype == up.dtype && gate.bias.empty() && up.bias.empty();
  return norm_alone(std::max({q.rows, k.rows, v.rows})) + (three_formats ? 2u : 1u) + 1 + (blocks == 1 ? 1u : 2u) +
         (layer.attention_post_norm ? 2u : 1u) + norm_alone(std::max(gate.rows, up.rows)) + (activates ? 1u : 2u) +
         (layer.mlp_post_norm ? 2u : 1u);
}

}  // namespace

const MacChip* find_mac_chip(std::string_view name) {
  const auto found = std::find_if(std::begin(kChips), std::end(kChips),
                                  [&](const MacChip& c) { return plain(c.name) == plain(name); });
  return found == std::end(kChips) ? nullptr : found;
}

std::string mac_chip_names() {
  std::string names;
  for (const MacChip& chip : kChips) names += fmt::format("{}{}", names.empty() ? "" : ", ", chip.name);
  return names;
}

std::size_t metal_dispatches(const Model& model, std::size_t before) {
  std::size_t count = 3 + norm_alone(model.head.matrix.rows);  // embedding, the wanted row, the head with its norm
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    count += dispatches_of(model.layers[i], blocks_seen(before, model.config.layers[i].attention.window_tokens));
  }
  return count;
}

MetalPrediction predict_metal(const MacChip& chip, double bytes, std::size_t dispatches) {
  MetalPrediction p;
  p.memory_seconds = bytes / (kShareOfBandwidth * chip.gb_per_s * 1e9);
  p.dispatch_seconds = kSecondsADispatch * static_cast<double>(dispatches);
  p.least_seconds = p.memory_seconds + p.dispatch_seconds + kLeastSecondsAToken;
  p.most_seconds = p.memory_seconds + p.dispatch_seconds + kMostSecondsAToken;
  return p;
}

BackTest back_test_metal() {
  BackTest test;
  for (const PublishedChip& measured : kMeasured) {
    for (std::size_t f = 0; f < std::size(kPublished); ++f) {
      if (measured.percent[f] != 0) test.numbers.push_back(compared(measured, kPublished[f], measured.percent[f]));
    }
  }
  return test;
}

double BackTest::mean() const {
  double sum = 0;
  for (const Number& n : numbers) sum += std::abs(n.off());
  return sum / static_cast<double>(numbers.size());
}

const BackTest::Number& BackTest::worst() const {
  return *std::max_element(numbers.begin(), numbers.end(),
                           [](const Number& a, const Number& b) { return std::abs(a.off()) < std::abs(b.off()); });
}

}  // namespace rung
