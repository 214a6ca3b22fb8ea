// encode_row, bit for bit against what the gguf package makes of the same values, and no worse than llama.cpp where it
// searches (tools/goldens/quantize.py).
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include "base/json.h"
#include "paths.h"
#include "tensor/blocks.h"
#include "tensor/encode.h"

namespace rung {
namespace {

constexpr std::size_t kRow = 256;
// its scales have no finite inverse: what the codes are is left to the machine, the values are 0
constexpr std::size_t kDenormalRow = 12;

std::string read_golden(const std::string& name) {
  std::ifstream in(golden_folder() / "quantize" / name, std::ios::binary);
  EXPECT_TRUE(in) << name;
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<float> read_floats(const std::string& name) {
  const std::string bytes = read_golden(name);
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

struct Encoded {
  std::vector<std::byte> bytes;
  std::vector<float> values;  // as they are decoded
};

Encoded encode(DType type, std::span<const float> values, std::span<const float> importance = {}) {
  Encoded encoded{std::vector<std::byte>(row_bytes(type, values.size())), std::vector<float>(values.size())};
  encode_row(encoded.bytes.data(), type, values, importance);
  decode_row(encoded.values, type, encoded.bytes.data());
  return encoded;
}

double square_error(std::span<const float> values, std::span<const float> decoded,
                    std::span<const float> importance = {}) {
  double sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double off = static_cast<double>(values[i]) - static_cast<double>(decoded[i]);
    sum += (importance.empty() ? 1.0 : static_cast<double>(importance[i])) * off * off;
  }
  return sum;
}

std::string name_of(const testing::TestParamInfo<DType>& test) { return std::string(rung::info(test.param).name); }

class ExactFormats : public testing::TestWithParam<DType> {};

TEST_P(ExactFormats, AreTheOfficialBytes) {
  const std::vector<float> values = read_floats("values.f32");
  const std::string expected = read_golden(std::string(info(GetParam()).name) + ".blocks");
  const std::size_t bytes = row_bytes(GetParam(), kRow);
  ASSERT_EQ(expected.size(), values.size() / kRow * bytes);
  for (std::size_t r = 0; r < values.size() / kRow; ++r) {
    const Encoded ours = encode(GetParam(), std::span(values).subspan(r * kRow, kRow));
    if (r == kDenormalRow && info(GetParam()).values_per_block > 1) {
      for (const float v : ours.values) EXPECT_LE(std::fabs(v), 1e-37f);
    } else {
      EXPECT_EQ(std::memcmp(ours.bytes.data(), expected.data() + r * bytes, bytes), 0) << "row " << r;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Types, ExactFormats,
                         testing::Values(DType::f16, DType::bf16, DType::q8_0, DType::q4_0, DType::q4_1, DType::q5_0,
                                         DType::q5_1),
                         name_of);

// A row may fall the other way by chance; all of them together may not. (Two rows are below what an f16 scale can say:
// no codes help them.)
void expect_no_worse(DType type, std::span<const float> importance, const Json& official) {
  const std::vector<float> values = read_floats("values.f32");
  double ours_relative = 0, official_relative = 0;
  for (std::size_t r = 0; r < values.size() / kRow; ++r) {
    const auto row = std::span(values).subspan(r * kRow, kRow);
    const double theirs = official[r].get<double>(),
                 ours = square_error(row, encode(type, row, importance).values, importance);
    double size = 0;
    for (const float v : row) size += static_cast<double>(v) * static_cast<double>(v);
    if (size == 0) {
      EXPECT_EQ(ours, 0) << "row " << r;
    }
    if (size == 0 || theirs > 0.1 * size) continue;
    ours_relative += ours / size;
    official_relative += theirs / size;
    EXPECT_LE(ours, 1.3 * theirs + 1e-5 * size) << info(type).name << " row " << r;
  }
  EXPECT_LE(ours_relative, official_relative) << info(type).name;
}

TEST(SearchedFormats, LoseNoMoreThanLlamaCpp) {
  const Json errors = Json::parse(read_golden("errors.json"));
  for (const DType type : {DType::iq4_nl, DType::q4_k, DType::q5_k, DType::q6_k}) {
    expect_no_worse(type, {}, errors["plain"][std::string(info(type).name)]);
  }
}

TEST(SearchedFormats, LoseNoMoreThanLlamaCppWhereColumnsDifferInImportance) {
  const Json errors = Json::parse(read_golden("errors.json"));
  const std::vector<float> importance = read_floats("importance.f32");
  for (const DType type :
       {DType::q4_0, DType::q4_1, DType::q5_0, DType::q5_1, DType::iq4_nl, DType::q4_k, DType::q5_k, DType::q6_k}) {
    expect_no_worse(type, importance, errors["weighted"][std::string(info(type).name)]);
  }
}

class AllFormats : public testing::TestWithParam<DType> {};

TEST_P(AllFormats, KeepZeros) {
  const std::vector<float> zeros(kRow);
  EXPECT_EQ(encode(GetParam(), zeros).values, zeros);
}

TEST_P(AllFormats, GiveBackWhatTheyDecodeTo) {
  const std::vector<float> values = read_floats("values.f32");
  const Encoded once = encode(GetParam(), std::span(values).first(kRow));
  const Encoded twice = encode(GetParam(), once.values);
  EXPECT_LE(square_error(once.values, twice.values), 1e-4 * square_error(once.values, std::vector<float>(kRow)));
}

TEST_P(AllFormats, SurviveWhatIsNoNumber) {
  for (const float odd : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity(), std::numeric_limits<float>::max(),
                          std::numeric_limits<float>::lowest(), std::numeric_limits<float>::denorm_min()}) {
    for (const std::size_t place : {std::size_t{0}, std::size_t{17}, kRow - 1}) {
      std::vector<float> values(kRow, 0.5f);
      values[place] = odd;
      encode(GetParam(), values);
      encode(GetParam(), std::vector<float>(kRow, odd));
      encode(GetParam(), values, std::vector<float>(kRow, 1.0f));
      encode(GetParam(), std::vector<float>(kRow, 1.0f), values);
    }
  }
}

TEST_P(AllFormats, WriteOnlyTheirRow) {
  const std::vector<float> values(kRow, 0.25f);
  std::vector<std::byte> room(row_bytes(GetParam(), kRow) + 2, std::byte{0xa5});
  encode_row(room.data() + 1, GetParam(), values);
  EXPECT_EQ(room.front(), std::byte{0xa5});
  EXPECT_EQ(room.back(), std::byte{0xa5});
}

INSTANTIATE_TEST_SUITE_P(Types, AllFormats,
                         testing::Values(DType::f32, DType::f16, DType::bf16, DType::q8_0, DType::q4_0, DType::q4_1,
                                         DType::q5_0, DType::q5_1, DType::iq4_nl, DType::q4_k, DType::q5_k,
                                         DType::q6_k),
                         name_of);

}  // namespace
}  // namespace rung
