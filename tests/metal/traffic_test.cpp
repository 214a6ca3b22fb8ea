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

// A token's product with a matrix: where its 24 rows lie, and any bits in them.
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

// Each byte of weights comes from memory once, to one core, and in lines of which nearly all is used.
TEST_F(MetalTraffic, OfWeightsIsTheLeastInEveryFormat) {
  constexpr std::size_t kRows = 24, kColumns = 2048;
  std::mt19937 random(1);
  MetalOps metal;
  for (const DTypeInfo& type : kDTypes) {
    std::vector<std::byte> bytes(kRows * row_bytes(type.type, kColumns));
    for (std::byte& b : bytes) b = static_cast<std::byte>(random() & 255);
    const TrafficOf t = traffic_of_weights(metal, type.type, bytes, kColumns);
    SCOPED_TRACE(type.name);
    EXPECT_EQ(t.bytes_read, bytes.size());
    EXPECT_EQ(t.group_bytes_read, bytes.size()) << "no two threadgroups read the same";
    EXPECT_EQ(t.bytes_written, 0u);
    const double lines = static_cast<double>(bytes.size()) / metal_emulator::cache_line_bytes;
    EXPECT_LE(static_cast<double>(t.group_lines_read), 1.25 * lines);
    RecordProperty(std::string(type.name), std::to_string(static_cast<double>(t.group_lines_read) / lines));
    if (std::getenv("RUNG_TRAFFIC") != nullptr) {
      std::printf("| %s | %.3f | %.1f |\n", std::string(type.name).c_str(),
                  static_cast<double>(t.group_lines_read) / lines,
                  static_cast<double>(t.lines_together) / static_cast<double>(t.least_lines_together));
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
