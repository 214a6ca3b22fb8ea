// What tests of the GPU's verbs share: tensors in its memory, matrices in every format.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <string>
#include <vector>

#include "metal/fake/fake_metal.h"
#include "ops/metal/metal.h"
#include "ops/reference.h"
#include "ops/statistics.h"
#include "tensor/encode.h"
#include "tensor/scale_offsets.h"

namespace rung {

class MetalVerbs : public testing::Test {
 protected:
  void SetUp() override {
    fake_metal::reset();
    metal_.emplace();
  }

  // Races, reads out of bounds, messages that a real system suffers in silence; and threadgroup memory, of which a core
  // has 32 KB: a kernel that takes more than half of it leaves room for one threadgroup alone.
  void TearDown() override {
    EXPECT_EQ(fake_metal::report().findings, std::vector<std::string>{});
    EXPECT_LE(fake_metal::report().statistics.threadgroup_bytes, 16384u);
  }

  std::vector<float> some(std::size_t count, float scale = 1.0f) {
    std::normal_distribution<float> normal(0.0f, scale);
    std::vector<float> values(count);
    for (float& x : values) x = normal(random_);
    return values;
  }
  // The same values in memory of the GPU.
  Buffer<float> lent(const std::vector<float>& values) {
    Buffer<float> buffer(values.size(), metal_->memory(values.size() * sizeof(float)));
    std::copy(values.begin(), values.end(), buffer.data());
    return buffer;
  }
  static std::vector<float> values_of(const Buffer<float>& buffer) {
    return {buffer.data(), buffer.data() + buffer.size()};
  }

  static void expect_near(const std::vector<float>& actual, const std::vector<float>& expected, double relative,
                          const std::string& what) {
    ASSERT_EQ(actual.size(), expected.size());
    EXPECT_LE(relative_distance(actual, expected), relative) << what;
  }

  std::mt19937 random_{1};
  ThreadTeam team_{1};
  ReferenceOps reference_{team_};
  std::optional<MetalOps> metal_;
};

// A matrix in any format, and who keeps what a backend makes of it.
struct AnyMatrix {
  AnyMatrix(DType type, std::size_t rows, std::size_t columns, std::mt19937& random) {
    w.name = "w";
    w.dtype = type;
    w.rows = rows;
    w.columns = columns;
    bytes.resize(rows * row_bytes(type, columns));
    std::normal_distribution<float> normal(0.0f, 1.0f);
    for (std::byte& b : bytes) b = static_cast<std::byte>(random() & 255);
    std::vector<float> row(columns);
    for (std::size_t r = 0; r < rows; ++r) {
      std::byte* const to = bytes.data() + r * row_bytes(type, columns);
      if (can_encode(type)) {
        for (float& x : row) x = normal(random);
        encode_row(to, type, row);
      } else {
        tame(to, type, columns, random);
      }
    }
    w.data = bytes.data();
    w.panels = &panels;
    w.id = panels.add();
  }

  static bool can_encode(DType type) {
    return type <= DType::q8_0 || type == DType::iq4_nl || (type >= DType::q4_k && type <= DType::q6_k);
  }

  // Any bits are a block; but its scales are to be numbers of a sensible size.
  static void tame(std::byte* row, DType type, std::size_t columns, std::mt19937& random) {
    const DTypeInfo& i = info(type);
    std::uniform_real_distribution<float> sensible(0.03f, 0.06f);
    for (std::size_t block = 0; block < columns / i.values_per_block; ++block) {
      set_scales(row + block * i.bytes_per_block, type, [&] { return sensible(random); });
    }
  }

  std::vector<std::byte> bytes;
  PanelStore panels;
  PackedMatrix w;
};

}  // namespace rung
