#include "engine/sampling.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "base/error.h"

namespace rung {

namespace {

bool zero_or_more(double x) { return x >= 0 && std::isfinite(x); }
bool above_zero(double x) { return x > 0 && std::isfinite(x); }
bool a_share(double x) { return x > 0 && x <= 1; }
bool zero_to_one(double x) { return x >= 0 && x <= 1; }
bool within_two(double x) { return x >= -2 && x <= 2; }

// clang-format off
const SamplingSetting kSettings[] = {
    {"temperature", "temperature", "general.sampling.temp", &Sampling::temperature, 1.0, zero_or_more, "0 or more",
     "T", "0: always the likeliest token; 1: as the model says; between: bolder"},
    {"top-k", "top_k", "general.sampling.top_k", &Sampling::top_k, 50.0, zero_or_more, "0 or more",
     "K", "only the K likeliest (0: all)"},
    {"top-p", "top_p", "general.sampling.top_p", &Sampling::top_p, 1.0, a_share, "more than 0, at most 1",
     "P", "only the likeliest that together reach P (1: all)"},
    {"min-p", "min_p", "general.sampling.min_p", &Sampling::min_p, 0.0, zero_to_one, "0 to 1",
     "P", "only those with at least P times the chance of the likeliest (0: all)"},
    {"repeat-penalty", "repetition_penalty", "general.sampling.penalty_repeat", &Sampling::repeat_penalty, {},
     above_zero, "more than 0", "X", "makes tokens that were there before less likely (1: not)"},
    {"presence-penalty", nullptr, nullptr, &Sampling::presence_penalty, {}, within_two, "-2 to 2",
     "X", "taken from the logit of each token that the answer holds (0: nothing)"},
    {"frequency-penalty", nullptr, nullptr, &Sampling::frequency_penalty, {}, within_two, "-2 to 2",
     "X", "the same, once for every time that it does (0: nothing)"},
    {"no-repeat-ngram", "no_repeat_ngram_size", nullptr, &Sampling::no_repeat_ngram, {}, zero_or_more, "0 or more",
     "N", "the same N tokens in a row never come twice (0: they may)"},
    {"min-tokens", "min_new_tokens", nullptr, &Sampling::min_tokens, {}, zero_or_more, "0 or more",
     "N", "the answer has at least N tokens"},
};
// clang-format on

}  // namespace

std::uint64_t another_seed() { return std::random_device{}(); }

std::span<const SamplingSetting> sampling_settings() { return kSettings; }

double SamplingSetting::get(const Sampling& sampling) const {
  return std::visit([&](const auto field) { return static_cast<double>(sampling.*field); }, member);
}

void SamplingSetting::set(Sampling& sampling, double value) const {
  if (const auto* real = std::get_if<float Sampling::*>(&member)) {
    sampling.** real = static_cast<float>(value);
  } else {
    const auto count = std::get<std::size_t Sampling::*>(member);
    sampling.*count = value > 0 ? static_cast<std::size_t>(std::min(value, 1e9)) : 0;
  }
}

void check(const Sampling& sampling) {
  for (const SamplingSetting& setting : sampling_settings()) {
    const double value = setting.get(sampling);
    if (setting.allows(value)) continue;
    fail("{} is {}, expected {}", setting.name, static_cast<float>(value), setting.expected);
  }
}

}  // namespace rung
