// Which tensor gets which type, as llama.cpp chose in the files that it wrote; and what cannot be quantised is refused.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <limits>

#include "convert/quantize.h"
#include "downloads.h"
#include "files/expect_error.h"
#include "files/temporary_folder.h"

namespace rung {
namespace {

namespace fs = std::filesystem;

// SmolLM2's file is llama.cpp's Q4_1, Gemma 3's its Q4_K_M: rows of 576 and 640 values, which are no multiple of 256,
// and layers with more bits.
TEST(ChooseTypes, AreThoseOfTheFilesThatLlamaCppWrote) {
  for (const auto& [name, format] : {std::pair{"smollm2", "q4_1"}, {"gemma3", "q4_k_m"}}) {
    const std::string file = std::string(name) + ".gguf";
    RUNG_NEEDS_DOWNLOAD(file);
    const ModelFiles files = ModelFiles::open(download(file));
    const GgufOutline outline = outline_gguf(files);
    const std::vector<DType> types = choose_types(quantize_format(format), outline.tensors, false);
    for (std::size_t i = 0; i < types.size(); ++i) {
      EXPECT_EQ(info(types[i]).name, info(outline.tensors[i].dtype).name) << name << " " << outline.tensors[i].name;
    }
  }
}

SourceTensor tensor(const std::string& name, std::vector<std::size_t> shape) {
  return {.name = name, .shape = std::move(shape), .bytes = {}};
}

std::vector<std::string> types_of(std::string_view format, const std::vector<SourceTensor>& tensors,
                                  bool with_importance = false) {
  std::vector<std::string> names;
  for (const DType type : choose_types(quantize_format(format), tensors, with_importance)) {
    names.emplace_back(info(type).name);
  }
  return names;
}

TEST(ChooseTypes, VectorsStayAndTheHeadGetsMore) {
  const std::vector<SourceTensor> tied{tensor("token_embd.weight", {512, 256}), tensor("blk.0.attn_norm.weight", {256}),
                                       tensor("blk.0.attn_q.weight", {256, 256}), tensor("blk.0.attn_q.bias", {256})};
  EXPECT_EQ(types_of("q4_0", tied), (std::vector<std::string>{"q6_k", "f32", "q4_0", "f32"}));
  EXPECT_EQ(types_of("q8_0", tied), (std::vector<std::string>{"q8_0", "f32", "q8_0", "f32"}));
  EXPECT_EQ(types_of("bf16", tied), (std::vector<std::string>{"bf16", "f32", "bf16", "f32"}));
  std::vector<SourceTensor> untied = tied;
  untied.push_back(tensor("output.weight", {512, 256}));
  EXPECT_EQ(types_of("q4_0", untied), (std::vector<std::string>{"q4_0", "f32", "q4_0", "f32", "q6_k"}));
}

// llama.cpp's IQ4_NL: the first eighth of the down projections, and values that four or more heads of queries share,
// get more bits.
TEST(ChooseTypes, Iq4NlGivesSomeMore) {
  std::vector<SourceTensor> tensors{tensor("blk.0.attn_q.weight", {256, 256}),
                                    tensor("blk.0.attn_v.weight", {64, 256})};
  for (int i = 0; i < 8; ++i) tensors.push_back(tensor("blk." + std::to_string(i) + ".ffn_down.weight", {256, 512}));
  const auto first = [&](bool with_importance) {
    const std::vector<std::string> all = types_of("iq4_nl", tensors, with_importance);
    return std::vector<std::string>(all.begin(), all.begin() + 4);
  };
  EXPECT_EQ(first(false), (std::vector<std::string>{"iq4_nl", "q5_k", "q5_k", "iq4_nl"}));
  EXPECT_EQ(first(true), (std::vector<std::string>{"iq4_nl", "q5_k", "iq4_nl", "iq4_nl"}));
  tensors[1] = tensor("blk.0.attn_v.weight", {128, 256});
  EXPECT_EQ(first(false)[1], "iq4_nl");
}

TEST(ChooseTypes, RowsThatAreNoWholeNumberOfBlocksFallBack) {
  const auto of = [](std::string_view format, std::size_t row) {
    return types_of(format, {tensor("blk.0.ffn_up.weight", {8, row})})[0];
  };
  EXPECT_EQ(of("q4_k_m", 512), "q4_k");
  EXPECT_EQ(of("q4_k_m", 576), "q5_0");
  EXPECT_EQ(of("q6_k", 576), "q8_0");
  EXPECT_EQ(of("iq4_nl", 576), "iq4_nl");
  EXPECT_EQ(of("iq4_nl", 48), "f16");
  EXPECT_EQ(of("q4_0", 48), "f16");
  EXPECT_EQ(of("q4_k_m", 48), "f16");
}

// A file with one matrix of one row.
std::vector<QuantizedTensor> quantize_row(std::vector<float> row, DType type, const fs::path& out) {
  GgufOutline outline;
  SourceTensor& t = outline.tensors.emplace_back(tensor("blk.0.ffn_up.weight", {1, row.size()}));
  t.values = std::move(row);
  ThreadTeam team(1);
  return quantize(outline, {&type, 1}, {}, out, team, {});
}

TEST(Quantize, RefusesWhatIsNoNumberAndWhatDoesNotFit) {
  const TemporaryFolder folder;
  std::vector<float> row(256, 0.5f);
  EXPECT_EQ(quantize_row(row, DType::q8_0, folder / "fine.gguf").at(0).values, 256u);
  fs::remove(folder / "fine.gguf");
  row[7] = std::numeric_limits<float>::quiet_NaN();
  expect_error([&] { quantize_row(row, DType::q8_0, folder / "x.gguf"); },
               "tensor 'blk.0.ffn_up.weight' holds nan in row 0, column 7, expected numbers");
  row[7] = -std::numeric_limits<float>::infinity();
  expect_error([&] { quantize_row(row, DType::q4_k, folder / "x.gguf"); }, "holds -inf in row 0, column 7");
  row[7] = 1e30f;
  expect_error([&] { quantize_row(row, DType::q4_0, folder / "x.gguf"); },
               "holds 1e+30 in row 0, which is too large for q4_0");
  expect_error([&] { quantize_row(row, DType::f16, folder / "x.gguf"); }, "too large for f16");
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

// Their scales would be less than the least f16.
TEST(Quantize, RefusesWhatIsTooSmall) {
  const TemporaryFolder folder;
  std::vector<float> row(256);
  for (std::size_t i = 0; i < row.size(); ++i) row[i] = (static_cast<float>(i % 17) - 8) * 1e-8f;
  for (const QuantizeFormat& format : quantize_formats()) {
    if (format.type == DType::f32 || format.type == DType::bf16) {
      const QuantizedTensor fine = quantize_row(row, format.type, folder / "fine.gguf").at(0);
      EXPECT_LT(fine.square_error, 1e-4 * fine.square_sum) << format.name;
      fs::remove(folder / "fine.gguf");
    } else if (format.type != DType::f16) {
      expect_error([&] { quantize_row(row, format.type, folder / "x.gguf"); },
                   fmt::format("tensor 'blk.0.ffn_up.weight' holds values up to 8e-08, which are too small for {}",
                               info(format.type).name));
    }
  }
  for (float& value : row) value *= 0.1f;
  expect_error([&] { quantize_row(row, DType::f16, folder / "x.gguf"); }, "up to 8e-09, which are too small for f16");
  EXPECT_TRUE(fs::is_empty(folder.path()));
  row.assign(256, 0);  // is what it is
  EXPECT_EQ(quantize_row(row, DType::q4_0, folder / "zeros.gguf").at(0).square_error, 0);
}

TEST(Quantize, SaysHowFarItIsOff) {
  const TemporaryFolder folder;
  std::vector<float> row(256);
  for (std::size_t i = 0; i < row.size(); ++i) row[i] = static_cast<float>(i % 17) - 8;
  const QuantizedTensor exact = quantize_row(row, DType::f16, folder / "a.gguf").at(0);
  const QuantizedTensor coarse = quantize_row(row, DType::q4_0, folder / "b.gguf").at(0);
  EXPECT_EQ(exact.square_error, 0);
  EXPECT_GT(coarse.square_error, 0);
  EXPECT_LT(coarse.square_error, 0.02 * coarse.square_sum);
  EXPECT_EQ(coarse.bytes, 8 * 18u);
}

TEST(Quantize, AnInterruptLeavesNothing) {
  const TemporaryFolder folder;
  GgufOutline outline;
  outline.tensors.push_back(tensor("blk.0.ffn_up.weight", {1, 256}));
  outline.tensors[0].values.assign(256, 1);
  const DType type = DType::q8_0;
  ThreadTeam team(1);
  EXPECT_THROW(quantize(outline, {&type, 1}, {}, folder / "x.gguf", team, {.check = [] { fail("stop"); }}), Error);
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(QuantizeFormat, AnUnknownOneIsRefusedWithThoseThatThereAre) {
  expect_error([] { quantize_format("q3_k"); }, "no format is called 'q3_k', expected one of: q8_0, q6_k");
}

}  // namespace
}  // namespace rung
