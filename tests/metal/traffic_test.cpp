// What a token costs in bytes, counted while it is computed (src/ops/metal/README.md has the table).
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "emulator/runtime/traffic.h"
#include "measure/cost.h"
#include "metal/fake/fake_metal.h"
#include "model/golden_model.h"
#include "ops/metal/metal.h"
#include "paths.h"

namespace rung {
namespace {

using metal_emulator::Traffic;
using metal_emulator::TrafficOf;

class MetalTraffic : public testing::Test {
 protected:
  void SetUp() override {
    fake_metal::settings() = {};
    fake_metal::settings().build = metal_emulator::Build::checked;
    fake_metal::reset();
  }
  void TearDown() override {
    EXPECT_EQ(fake_metal::report().findings, std::vector<std::string>{});
    fake_metal::settings() = {};
  }
};

// As a tensor of a GGUF file lies: it begins at a multiple of 32 bytes, which is none of a line's.
class Unaligned {
 public:
  explicit Unaligned(std::size_t count) : memory_(count + metal_emulator::cache_line_bytes + kAfter), count_(count) {}
  std::span<std::byte> bytes() const {
    const std::size_t after = reinterpret_cast<std::size_t>(memory_.data()) % metal_emulator::cache_line_bytes;
    return std::span(memory_).subspan(metal_emulator::cache_line_bytes - after + kAfter, count_);
  }

 private:
  static constexpr std::size_t kAfter = 32;
  mutable std::vector<std::byte> memory_;
  std::size_t count_;
};

// A token's product with a matrix: where its rows lie, and any bits in them.
TrafficOf traffic_of_weights(MetalOps& metal, DType type, std::span<const std::byte> bytes, std::size_t columns) {
  PanelStore panels;
  PackedMatrix w{.name = "w",
                 .dtype = type,
                 .rows = bytes.size() / row_bytes(type, columns),
                 .columns = columns,
                 .data = bytes.data(),
                 .bias = {},
                 .panels = &panels,
                 .id = panels.add()};
  const Buffer<float> x(columns, metal.memory(columns * sizeof(float))),
      out(w.rows, metal.memory(w.rows * sizeof(float)));
  std::fill_n(x.data(), columns, 1.0f);
  metal.do_linear({out.data(), {1, w.rows}}, {x.data(), {1, columns}}, w);
  Traffic::instance().start();
  metal.finish();
  Traffic::instance().stop();
  return Traffic::instance().of({const_cast<std::byte*>(bytes.data()), bytes.size()});
}

// How many lines a SIMD group may fetch that finds only its last few again (traffic.h), of the least.
double most_fetched(DType type) {
  switch (type) {
    case DType::f32:
      return 2.2;  // eight units are eight lines, more than it has at hand, and two loads go over them
    // What is read of a row at a time is 400 to 450 bytes, and the line in which it ends is fetched again.
    case DType::iq1_s:
    case DType::iq1_m:
    case DType::tq1_0: return 1.3;
    default: return 1.25;
  }
}

// Each byte of weights comes from memory once, to one core, and in lines of which nearly all is used; and a SIMD group
// seldom needs one again that it no longer has. RUNG_TRAFFIC=1 prints for each width: lines that come to a core, those
// that a SIMD group fetches, those that a load touches, of the least.
TEST_F(MetalTraffic, OfWeightsIsTheLeastInEveryFormat) {
  constexpr std::size_t kRows = 32;
  std::mt19937 random(1);
  MetalOps metal;
  for (const DTypeInfo& type : kDTypes) {
    std::string numbers;
    for (const std::size_t columns : {std::size_t{576}, std::size_t{2048}, std::size_t{4096}}) {
      if (columns % type.values_per_block != 0) continue;
      const Unaligned memory(kRows * row_bytes(type.type, columns));
      const std::span<std::byte> bytes = memory.bytes();
      for (std::byte& b : bytes) b = static_cast<std::byte>(random() & 255);
      const TrafficOf t = traffic_of_weights(metal, type.type, bytes, columns);
      SCOPED_TRACE(std::string(type.name) + " of " + std::to_string(columns));
      EXPECT_EQ(t.bytes_read, bytes.size());
      EXPECT_EQ(t.group_bytes_read, bytes.size()) << "no two threadgroups read the same";
      EXPECT_EQ(t.bytes_written, 0u);
      const double least = static_cast<double>(bytes.size()) / metal_emulator::cache_line_bytes;
      const double of_group = static_cast<double>(t.group_lines_read) / least,
                   of_simd = static_cast<double>(t.lines_fetched) / least;
      EXPECT_LE(of_group, 1.25);
      EXPECT_LE(of_simd, most_fetched(type.type));
      numbers += " " + std::to_string(columns) + ": " + std::to_string(of_group).substr(0, 5) + " | " +
                 std::to_string(of_simd).substr(0, 5) + " | " +
                 std::to_string(static_cast<double>(t.lines_together) / static_cast<double>(t.least_lines_together))
                     .substr(0, 4) +
                 " |";
    }
    RecordProperty(std::string(type.name), numbers);
    if (std::getenv("RUNG_TRAFFIC") != nullptr) {
      std::printf("| %s |%s\n", std::string(type.name).c_str(), numbers.c_str());
    }
  }
}

// A whole step of pebble: weights, keys and values, and what goes from kernel to kernel.
TEST_F(MetalTraffic, OfATokenIsNearTheLeast) {
  const GoldenFiles files(source_folder() / "models" / "pebble");
  const Model model = bind_weights(files.plan, files.tensors());
  MetalOps metal;
  Forward forward(model, metal);
  const KvShape shape = kv_shape(model.config, metal.cache_type());
  KvCache cache(shape);
  Batch batch;
  constexpr std::uint32_t kBefore = 70;  // zeros: what they are does not matter here
  batch.add(5, kBefore, cache, true);
  Traffic::instance().start();
  forward.run(batch);
  Traffic::instance().stop();
  const TrafficOf t = Traffic::instance().all();
  const double all = static_cast<double>(t.bytes_read + t.bytes_written);
  const double least = cost_of(model, shape, {.before = kBefore}).bytes();
  RecordProperty("all_by_least", std::to_string(all / least));
  EXPECT_GE(all, least);
  EXPECT_LE(all, 1.05 * least) << all << " of " << least;
}

}  // namespace
}  // namespace rung
