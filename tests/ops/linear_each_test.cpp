// Several linear layers of one x give what each alone gives, in every backend.
#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "ops/cpu.h"
#include "ops/reference.h"
#include "tensor/encode.h"

namespace rung {
namespace {

// Weights of other heights and types, one with a bias: heights of 1000, 70 and 40 are no multiples of a panel's 16.
// With two threads their 72 panels go four by four, with three two by two.
struct Layers {
  static constexpr std::size_t kColumns = 256;
  struct Layer {
    DType type;
    std::size_t rows;
    bool has_bias;
  };
  std::vector<std::vector<std::byte>> bytes;
  PanelStore panels;
  std::vector<PackedMatrix> weights;

  explicit Layers(std::mt19937& random) {
    for (const Layer& layer : {Layer{DType::q4_1, 1000, false}, Layer{DType::q6_k, 70, true},
                               Layer{DType::bf16, 40, false}, Layer{DType::f32, 16, false}}) {
      std::vector<float> row(kColumns);
      bytes.emplace_back(layer.rows * row_bytes(layer.type, kColumns));
      for (std::size_t r = 0; r < layer.rows; ++r) {
        for (float& x : row) x = static_cast<float>(random() % 2001) / 1000.0f - 1.0f;
        encode_row(bytes.back().data() + r * row_bytes(layer.type, kColumns), layer.type, row);
      }
      PackedMatrix w;
      w.dtype = layer.type;
      w.rows = layer.rows;
      w.columns = kColumns;
      w.data = bytes.back().data();
      w.panels = &panels;
      w.id = panels.add();
      if (layer.has_bias) w.bias.assign(layer.rows, 0.25f);
      weights.push_back(w);
    }
  }
};

void expect_the_same_bits(Ops& ops, const Layers& layers, std::mt19937& random) {
  for (const std::size_t tokens : {1u, 3u, 70u}) {
    SCOPED_TRACE(tokens);
    std::vector<float> x(tokens * Layers::kColumns);
    for (float& value : x) value = static_cast<float>(random() % 2001) / 1000.0f - 1.0f;
    const ConstMatrix input(x.data(), {tokens, Layers::kColumns});
    std::vector<std::vector<float>> alone, together;
    std::vector<LinearTask> tasks;
    for (const PackedMatrix& w : layers.weights) {
      alone.emplace_back(tokens * w.rows);
      together.emplace_back(tokens * w.rows, -1.0f);
      ops.do_linear({alone.back().data(), {tokens, w.rows}}, input, w);
    }
    for (std::size_t i = 0; i < layers.weights.size(); ++i) {
      tasks.push_back({{together[i].data(), {tokens, layers.weights[i].rows}}, &layers.weights[i]});
    }
    ops.do_linear_each(tasks, input);
    EXPECT_EQ(together, alone);
  }
}

TEST(LinearEach, IsOneAfterTheOther) {
  std::mt19937 random(5);
  const Layers layers(random);
  for (const std::size_t threads : {1u, 2u, 3u}) {
    SCOPED_TRACE(threads);
    ThreadTeam team(threads);
    ReferenceOps reference(team);
    expect_the_same_bits(reference, layers, random);
    for (const Kernels* kernels : supported_kernels()) {
      SCOPED_TRACE(kernels->name);
      CpuOps cpu(team, *kernels);
      expect_the_same_bits(cpu, layers, random);
    }
  }
}

}  // namespace
}  // namespace rung
