// How fast a model would write on a Mac's GPU, from public numbers alone: a prediction, for who has no Mac at hand.
// Milestone M7.
//
//   seconds a token = bytes ÷ (0.8 · bandwidth)  +  2.5 µs · dispatches  +  150 to 360 µs
//
//   0.8         the share of a chip's bandwidth that good kernels reach for matrices of some size
//   2.5 µs      what one small kernel after the other costs (mlx#4521 measures 2.4 to 2.8 on an M3 Ultra)
//   150, 360 µs what a command buffer costs that is handed over and waited for (Metal.jl#783: 149 by an event, 359 by
//               waitUntilCompleted)
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "model/model.h"

namespace rung {

struct MacChip {
  std::string_view name;
  unsigned gpu_cores;
  double gb_per_s;  // what Apple says
};
const MacChip* find_mac_chip(std::string_view name);  // "M2 Pro", "m2-pro"; null: there is none
std::string mac_chip_names();                         // "M1, M1 Pro, …"

// The kernels that MetalOps records for one token of one sequence that has `before` others. The tests hold it against
// what it does record (metal::Counts).
std::size_t metal_dispatches(const Model& model, std::size_t before);

struct MetalPrediction {
  double memory_seconds = 0, dispatch_seconds = 0;
  double least_seconds = 0, most_seconds = 0;  // of a token

  double most_per_second() const { return 1 / least_seconds; }
  double least_per_second() const { return 1 / most_seconds; }
};
MetalPrediction predict_metal(const MacChip& chip, double bytes, std::size_t dispatches);

// The same formula for LLaMA 7B in llama.cpp, with its own number of dispatches, beside what was measured there: its
// table of Macs (discussion 4167). How far is the middle of the prediction off?
struct BackTest {
  struct Number {
    std::string_view chip, format;
    double measured_per_second, predicted_per_second;
    double off() const { return predicted_per_second / measured_per_second - 1; }
  };
  std::vector<Number> numbers;
  double mean() const;  // of |off|
  const Number& worst() const;
};
BackTest back_test_metal();

}  // namespace rung
