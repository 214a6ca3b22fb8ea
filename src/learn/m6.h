// What the files of milestone M6 share: numbers in eight bits, how they lie in panels, the place of a linear layer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "kernels/scalar/scalar.h"
#include "learn/m2.h"
#include "learn/seams.h"

namespace rung::learn {

using Quants = std::span<const std::int8_t>;
inline constexpr std::size_t kRoundedBlock = 32, kPanel = 16;

struct Sizes {
  std::size_t tokens, rows, columns;
  std::size_t blocks() const { return columns / kRoundedBlock; }
};

// Numbers in eight bits, 32 with a scale: x[i] ≈ scales[i / 32]·quants[i].
struct Rounded {
  std::vector<float> scales;
  std::vector<std::int8_t> quants;
};
inline Rounded rounded(In x) {
  std::vector<ActivationBlock> blocks(x.size() / kRoundedBlock);
  scalar::kernels.quantize(blocks.data(), x.data(), x.size());
  Rounded r;
  for (const ActivationBlock& block : blocks) {
    r.scales.push_back(block.scale);
    r.quants.insert(r.quants.end(), std::begin(block.q), std::end(block.q));
  }
  return r;
}

// The place of a column in panels of 16 rows, four columns of each at a time; and that of a block's scale.
inline std::size_t in_panels(std::size_t row, std::size_t column, std::size_t columns) {
  return ((row / kPanel * columns / 4 + column / 4) * kPanel + row % kPanel) * 4 + column % 4;
}
inline std::size_t scale_in_panels(std::size_t row, std::size_t block, std::size_t blocks) {
  return (row / kPanel * blocks + block) * kPanel + row % kPanel;
}
inline Rounded panels_of(const Rounded& w, std::size_t columns) {
  Rounded p{std::vector<float>(w.scales.size()), std::vector<std::int8_t>(w.quants.size())};
  const std::size_t blocks = columns / kRoundedBlock;
  for (std::size_t i = 0; i < w.quants.size(); ++i) {
    p.quants[in_panels(i / columns, i % columns, columns)] = w.quants[i];
  }
  for (std::size_t i = 0; i < w.scales.size(); ++i) {
    p.scales[scale_in_panels(i / blocks, i % blocks, blocks)] = w.scales[i];
  }
  return p;
}

inline void add_bias(Matrix out, const PackedMatrix& w) {
  for (std::size_t i = 0; !w.bias.empty() && i < out.size(); ++i) out.data()[i] += w.bias[i % w.rows];
}
inline bool has_whole_blocks(const PackedMatrix& w) { return w.columns % kRoundedBlock == 0 && w.rows % kPanel == 0; }

// All linear layers of the fast device are multiply(out, x, matrix). `Packed` is what a matrix is made into, once.
template <class Pack, class Multiply>
void place_linear(Seams& seams, const Pack& pack, const Multiply& multiply) {
  using Packed = decltype(pack(In(), std::size_t()));
  const auto all = std::make_shared<std::map<const std::byte*, Packed>>();
  seams.device = "cpu";
  seams.verbs.linear = [=](Ops& inner, Matrix out, ConstMatrix x, const PackedMatrix& w) {
    if (!has_whole_blocks(w)) return inner.do_linear(out, x, w);
    std::vector<float> scratch;
    auto found = all->find(w.data);
    if (found == all->end()) found = all->emplace(w.data, pack(floats_of(w, scratch), w.columns)).first;
    multiply(out.span(), x.span(), found->second, Sizes{x.extent<Rows>(), w.rows, w.columns});
    add_bias(out, w);
  };
}

// 1, 2, … n
inline std::vector<float> counting(std::size_t n) {
  std::vector<float> all(n);
  for (std::size_t i = 0; i < n; ++i) all[i] = static_cast<float>(i + 1);
  return all;
}
// Rows of 32 weights that are all the row's number: 0 in row 0, … 15 in row 15.
inline std::vector<float> row_numbers() {
  std::vector<float> w(kPanel * kRoundedBlock);
  for (std::size_t i = 0; i < w.size(); ++i) w[i] = static_cast<float>(i / kRoundedBlock);
  return w;
}
inline std::vector<float> multiples(std::size_t n, float of) {
  std::vector<float> all(n);
  for (std::size_t i = 0; i < n; ++i) all[i] = static_cast<float>(i) * of;
  return all;
}
inline std::vector<float> joined(std::vector<float> a, const std::vector<float>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

inline void add_sizes(std::vector<Argument>& arguments, const Sizes& s) {
  arguments.push_back({"tokens", static_cast<double>(s.tokens)});
  arguments.push_back({"rows", static_cast<double>(s.rows)});
  arguments.push_back({"columns", static_cast<double>(s.columns)});
}
inline Sizes random_sizes(Random& random) {
  return {whole(random, 1, 5), kPanel * whole(random, 1, 3), kRoundedBlock * whole(random, 1, 4)};
}
inline constexpr Sizes kRaced{4, 1024, 1024};
inline constexpr double kRacedOperations = 2.0 * 4 * 1024 * 1024;

namespace float_kernels {
Exercise vectors();
Exercise tile_exercise();
void raced_tiles(Out out, In x, In w, const Sizes& s);
}  // namespace float_kernels
std::vector<Exercise> rounded_exercises();  // bytes, integers, panels

}  // namespace rung::learn
