// decode_row, bit for bit against what the gguf package decodes the same bytes to (tools/goldens/files.py).
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "paths.h"
#include "tensor/blocks.h"

namespace rung {
namespace {

std::vector<char> read_golden(const std::string& name) {
  std::ifstream in(golden_folder() / "tensor" / name, std::ios::binary);
  EXPECT_TRUE(in) << name;
  return {std::istreambuf_iterator<char>(in), {}};
}

class DecodeRow : public testing::TestWithParam<DTypeInfo> {
 protected:
  const DType type = GetParam().type;
  const std::string name{GetParam().name};
};

TEST_P(DecodeRow, EqualsTheOfficialDecoderBitForBit) {
  const std::vector<char> blocks = read_golden(name + ".blocks"), expected_bytes = read_golden(name + ".f32");
  std::vector<float> expected(expected_bytes.size() / sizeof(float)), values(expected.size());
  std::memcpy(expected.data(), expected_bytes.data(), expected_bytes.size());
  ASSERT_GT(expected.size(), 1000u);
  ASSERT_EQ(row_bytes(type, values.size()), blocks.size());

  decode_row(values, type, reinterpret_cast<const std::byte*>(blocks.data()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isnan(expected[i])) {
      EXPECT_TRUE(std::isnan(values[i])) << name << " value " << i;  // which NaN is left to the machine
    } else {
      ASSERT_EQ(std::bit_cast<std::uint32_t>(values[i]), std::bit_cast<std::uint32_t>(expected[i]))
          << name << " value " << i;
    }
  }
}

TEST_P(DecodeRow, ReadsAtAnyAlignment) {
  std::vector<char> blocks = read_golden(name + ".blocks");
  const std::size_t count = info(type).values_per_block * 4, bytes = row_bytes(type, count);
  std::vector<float> aligned(count), shifted(count);
  decode_row(aligned, type, reinterpret_cast<const std::byte*>(blocks.data()));
  blocks.insert(blocks.begin(), '\0');
  ASSERT_LE(bytes + 1, blocks.size());
  decode_row(shifted, type, reinterpret_cast<const std::byte*>(blocks.data()) + 1);
  EXPECT_EQ(std::memcmp(aligned.data(), shifted.data(), count * sizeof(float)), 0);
}

TEST_P(DecodeRow, WritesOnlyWhatWasAskedFor) {
  const std::vector<char> blocks = read_golden(name + ".blocks");
  const std::size_t count = info(type).values_per_block;
  std::vector<float> values(count + 1, 42.0f);
  decode_row(std::span(values).first(count), type, reinterpret_cast<const std::byte*>(blocks.data()));
  EXPECT_EQ(values[count], 42.0f);
  decode_row({}, type, reinterpret_cast<const std::byte*>(blocks.data()));
}

INSTANTIATE_TEST_SUITE_P(Types, DecodeRow, testing::ValuesIn(kDTypes),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace rung
