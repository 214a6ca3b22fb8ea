// What `rung inspect` says of files that the test has made, and of the real ones when they have been brought.
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <set>

#include "cli/command.h"
#include "cli/inspect.h"
#include "downloads.h"
#include "engine/tiny_model.h"
#include "files/gguf_builder.h"
#include "files/temporary_folder.h"
#include "files/write_safetensors.h"

namespace rung {
namespace {

constexpr std::uint32_t kF32 = 0;

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

template <class T>
FileTensor tensor_of(const std::vector<T>& values, DType type, std::vector<std::size_t> shape) {
  return {"x", type, std::move(shape), std::as_bytes(std::span(values)), "a.gguf"};
}

// --- one tensor

TEST(InspectTensor, Statistics) {
  const std::vector<float> values{-1, 0, 0, 3, 2, 0, 1, -1};
  const TensorStatistics s = statistics(tensor_of(values, DType::f32, {2, 4}), 4);
  EXPECT_EQ(s.values, 8u);
  EXPECT_EQ(s.min, -1);
  EXPECT_EQ(s.max, 3);
  EXPECT_EQ(s.mean, 0.5);
  EXPECT_DOUBLE_EQ(s.rms, std::sqrt(16.0 / 8));
  EXPECT_EQ(s.zeros, 3u);
  EXPECT_EQ(s.histogram, (std::vector<std::size_t>{2, 3, 1, 2}));  // [-1, 0) [0, 1) [1, 2) [2, 3]
}

TEST(InspectTensor, WhatIsNoNumberIsCountedAndLeftOut) {
  const std::vector<float> values{NAN, 2, INFINITY, -INFINITY, 2};
  const TensorStatistics s = statistics(tensor_of(values, DType::f32, {5}), 4);
  EXPECT_EQ(s.nans, 1u);
  EXPECT_EQ(s.infinities, 2u);
  EXPECT_EQ(s.mean, 2);
  EXPECT_EQ(s.histogram, (std::vector<std::size_t>{2}));  // all alike: one step
  const std::string text = tensor_text(describe_tensor(tensor_of(values, DType::f32, {5})));
  EXPECT_NE(text.find("1 NaN, 2 infinite"), std::string::npos) << text;
  const std::vector<float> none{NAN};
  EXPECT_TRUE(statistics(tensor_of(none, DType::f32, {1}), 4).histogram.empty());
  EXPECT_NO_THROW(tensor_text(describe_tensor(tensor_of(none, DType::f32, {1}))));
  EXPECT_NO_THROW(tensor_text(describe_tensor(tensor_of(std::vector<float>{}, DType::f32, {0}))));
}

TEST(InspectTensor, LongTensorsAreReadInPieces) {
  std::vector<std::uint16_t> values(200'001, 0x3f80);  // bf16 1
  values.back() = 0x4000;                              // bf16 2
  const TensorStatistics s = statistics(tensor_of(values, DType::bf16, {200'001}), 2);
  EXPECT_EQ(s.histogram, (std::vector<std::size_t>{200'000, 1}));
}

TEST(InspectTensor, TheFirstBlockBesideItsBytes) {
  std::vector<std::uint8_t> block(34, 0x02);
  block[0] = 0x00;
  block[1] = 0x38;  // f16 0.5
  block[33] = 0xff;
  const OrderedJson t = describe_tensor(tensor_of(block, DType::q8_0, {32}));
  EXPECT_EQ(t["first"]["fields"][0], OrderedJson({{"name", "scale"}, {"bytes", "00 38"}, {"value", 0.5}}));
  EXPECT_EQ(t["first"]["values"][0], 1.0);
  EXPECT_EQ(t["first"]["values"][31], -0.5);
  const std::string text = tensor_text(t);
  EXPECT_NE(text.find("the first block: 34 bytes are 32 values"), std::string::npos) << text;
  EXPECT_NE(text.find("scale   00 38 = 0.5"), std::string::npos) << text;
}

// --- models

// A llama model with a vocabulary, an embedding and `matrices` of 5000 × 5000. ftruncate makes their values: a hole,
// which takes no place on the disk.
bool make_llama(const std::filesystem::path& path, std::size_t matrices, std::size_t vocabulary) {
  const std::uint64_t embedding_bytes = std::uint64_t{vocabulary} * 8192 * 4, matrix_bytes = 100'000'000;
  GgufBuilder file(matrices + 1, 11);
  file.key("general.architecture", 8).string("llama").key("general.name", 8).string("A test");
  file.u32("llama.block_count", 100).u32("llama.context_length", 4096).u32("llama.embedding_length", 8192);
  file.u32("llama.feed_forward_length", 28672)
      .u32("llama.attention.head_count", 64)
      .u32("llama.attention.head_count_kv", 8);
  file.key("llama.attention.layer_norm_rms_epsilon", 6).number(1e-5f).key("tokenizer.ggml.model", 8).string("gpt2");
  file.key("tokenizer.ggml.tokens", 9).number(std::uint32_t{8}).number(std::uint64_t{vocabulary});
  for (std::size_t i = 0; i < vocabulary; ++i) file.string(fmt::format("token{}", i));
  file.tensor("token_embd.weight", {8192, vocabulary}, kF32, 0);
  for (std::size_t i = 0; i < matrices; ++i) {
    file.tensor(fmt::format("blk.{}.weight", i), {5000, 5000}, kF32, embedding_bytes + i * matrix_bytes);
  }
  file.pad();
  std::ofstream(path, std::ios::binary) << file.text();
  std::error_code error;
  std::filesystem::resize_file(path, file.text().size() + embedding_bytes + matrices * matrix_bytes, error);
  return !error;
}

std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t total_pages = 0, resident_pages = 0;
  statm >> total_pages >> resident_pages;
  return resident_pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

TEST(InspectModel, ASparse100GbModelIn32Mb) {
  const TemporaryFolder folder;
  if (!make_llama(folder / "sparse.gguf", 1000, 128'000)) {
    GTEST_SKIP() << "this file system makes no sparse file of 100 GB";
  }

  const std::size_t before = resident_bytes();
  const ModelFiles files = ModelFiles::open(folder / "sparse.gguf");
  const OrderedJson model = describe_model(files, 0);
  const std::string text =
      model_text(model) + tensors_text(describe_tensors(files.tensors())) + metadata_text(describe_metadata(files, 8));
  const std::size_t after = resident_bytes();
  EXPECT_LT(after - std::min(before, after), std::size_t{32} << 20);
  EXPECT_EQ(model["parameters"], 25'000'000'000u + 128'000u * 8192u);
  EXPECT_EQ(model["weight_bytes"], 100'000'000'000u + 128'000u * 8192u * 4u);
  EXPECT_EQ(model["bits_per_weight"], 32.0);
  // It can be looked at, though it names no way to cut text into words, without which there is no tokenizer.
  ASSERT_EQ(model["problems"].size(), 1u) << model["problems"];
  EXPECT_NE(model["problems"][0].get<std::string>().find("'tokenizer.ggml.pre' is missing"), std::string::npos);
}

TEST(InspectModel, MemoryAtAContext) {
  const TemporaryFolder folder;
  ASSERT_TRUE(make_llama(folder / "a.gguf", 0, 300));
  const ModelFiles files = ModelFiles::open(folder / "a.gguf");
  const std::size_t a_token = 100 * 2 * 8 * 128 * 2;  // layers · (keys and values) · kv heads · head_dim · f16
  EXPECT_EQ(describe_model(files, 0)["memory"]["kv_cache"], 4096 * a_token);
  EXPECT_EQ(describe_model(files, 1)["memory"]["kv_cache"], 64 * a_token);  // memory comes in blocks of 64 positions
  EXPECT_EQ(describe_model(files, 128)["memory"]["total"], 128 * a_token + 300 * 8192 * 4);
  EXPECT_EQ(describe_model(files, 128)["memory"]["kv_cache_per_token"], a_token);
  EXPECT_EQ(describe_model(files, 0, DType::f32)["memory"]["kv_cache"], 2 * 4096 * a_token);
  EXPECT_EQ(describe_model(files, 64, DType::q8_0)["memory"]["kv_cache_per_token"], a_token / 64 * 34)
      << "32 bytes and a scale";
}

// What cannot run can be looked at, and the reason is there.
TEST(InspectModel, ChatTemplatesAreNamedWhereThereAreSeveral) {
  const TinyModel one;
  EXPECT_FALSE(describe_model(ModelFiles::open(one.path()), 0, DType::f16).contains("chat_templates"));
  const auto described = [](const TinyModel& model) {
    std::filesystem::create_directory(model / "additional_chat_templates");
    for (const char* name : {"rag.jinja", "tool_use.jinja"}) {
      std::ofstream(model / "additional_chat_templates" / name) << "{{ messages[0].content }}";
    }
    return describe_model(ModelFiles::open(model.path()), 0, DType::f16);
  };
  const OrderedJson several = described(one);
  EXPECT_EQ(several["chat_templates"], Json({"default", "rag", "tool_use"}));
  EXPECT_TRUE(has(model_text(several), "default, rag, tool_use (--template-name)")) << model_text(several);
  const OrderedJson none_by_default = described(TinyModel(""));
  EXPECT_EQ(none_by_default["chat_templates"], Json({"rag", "tool_use"}));
  EXPECT_TRUE(has(model_text(none_by_default), "none by default")) << model_text(none_by_default);
}

TEST(InspectModel, ProblemsAreNamed) {
  const TemporaryFolder folder;
  GgufBuilder file(1, 2);
  file.key("general.architecture", 8)
      .string("mamba")
      .key("odd\x1b[2J", 6)
      .number(std::nanf(""))
      .tensor("x", {256}, 40, 0)
      .pad()
      .data(144);
  std::ofstream(folder / "a.gguf", std::ios::binary) << file.text();
  const ModelFiles files = ModelFiles::open(folder / "a.gguf");
  const OrderedJson model = describe_model(files, 0);
  EXPECT_FALSE(model.contains("family"));
  EXPECT_EQ(model["types"][0]["type"], "nvfp4");
  EXPECT_EQ(model["problems"].size(), 2u);  // the family, and no tokenizer
  EXPECT_NE(model_text(model).find("mamba"), std::string::npos);
  EXPECT_EQ(metadata_text(describe_metadata(files, 8)).find('\x1b'), std::string::npos);
  EXPECT_NE(tensors_text(describe_tensors(files.tensors())).find("nvfp4"), std::string::npos);
}

// --- the verb

// What `rung …` writes to stdout.
std::string output_of(std::vector<std::string> arguments, int expected_status) {
  const TemporaryFolder folder;
  const int saved = ::dup(STDOUT_FILENO), file = ::open((folder / "out").c_str(), O_WRONLY | O_CREAT, 0600);
  ::dup2(file, STDOUT_FILENO);
  arguments.insert(arguments.begin(), "rung");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  const int status = run_command_line(static_cast<int>(argv.size()), argv.data());
  ::dup2(saved, STDOUT_FILENO);
  ::close(saved);
  ::close(file);
  EXPECT_EQ(status, expected_status);
  std::ifstream in(folder / "out");
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(InspectVerb, JsonIsOneObjectOnOneLine) {
  const TemporaryFolder folder;
  ASSERT_TRUE(make_llama(folder / "a.gguf", 0, 300));
  const std::string path = (folder / "a.gguf").string();
  const Json model = Json::parse(output_of({"inspect", "-m", path, "--json", "--context", "64"}, 0));
  EXPECT_EQ(model["family"], "llama");
  EXPECT_EQ(model["memory"]["context"], 64);
  const Json parts = Json::parse(
      output_of({"inspect", "-m", path, "--json", "--tensors", "--metadata", "--tensor", "token_embd.weight"}, 0));
  EXPECT_EQ(parts["tensors"].size(), 1u);
  EXPECT_EQ(parts["metadata"].size(), 11u);
  EXPECT_EQ(parts["tensor"]["statistics"]["zeros"], 300 * 8192);
  for (const Json& entry : parts["metadata"]) {
    const bool vocabulary = entry["key"] == "tokenizer.ggml.tokens";
    EXPECT_TRUE(!vocabulary || entry["value"]["first"].size() == 300);
  }
}

TEST(InspectVerb, ReadsWhatLogitsAndTraceWrite) {
  const TemporaryFolder folder;
  const std::vector<float> logits{1, 2, 3, 4};
  const std::vector<OutputTensor> tensors{{"logits", {2, 2}, {"tokens", "vocab"}, logits}};
  const std::string path = (folder / "out.safetensors").string();
  write_safetensors(path, tensors);
  EXPECT_EQ(Json::parse(output_of({"inspect", "-m", path, "--json"}, 0))["tensors"][0]["name"], "logits");
  EXPECT_NE(output_of({"inspect", "-m", path, "--metadata"}, 0).find("tokens,vocab"), std::string::npos);
  EXPECT_NE(output_of({"inspect", "-m", path, "--tensor", "logits"}, 0).find("max 4"), std::string::npos);
}

TEST(InspectVerb, FailsInOneLine) {
  const TemporaryFolder folder;
  ASSERT_TRUE(make_llama(folder / "a.gguf", 0, 300));
  const std::string path = (folder / "a.gguf").string();
  EXPECT_EQ(output_of({"inspect", "-m", path, "--tensor", "absent"}, 1), "");
  EXPECT_EQ(output_of({"inspect", "-m", path, "--context", "4097"}, 1), "");
  EXPECT_EQ(output_of({"inspect", "-m", path, "--context", "-1"}, 2), "");
  EXPECT_EQ(output_of({"inspect", "-m", (folder / "absent").string()}, 1), "");
  const TemporaryFolder empty;  // no model at all, not one with problems
  EXPECT_EQ(output_of({"inspect", "-m", empty.path().string()}, 1), "");
}

TEST(InspectModel, Smollm2) {
  RUNG_NEEDS_DOWNLOAD("smollm2.gguf");
  const ModelFiles files = ModelFiles::open(download("smollm2.gguf"));
  const OrderedJson model = describe_model(files, 0);
  EXPECT_EQ(model["family"], "llama");
  EXPECT_EQ(model["parameters"], 134'515'008u);
  std::set<std::string> stops;
  for (const auto& stop : model["tokenizer"]["stop"]) stops.insert(stop["piece"].get<std::string>());
  EXPECT_TRUE(stops.contains("<|im_end|>") && stops.contains("<|endoftext|>"));  // the file names the first
  EXPECT_FALSE(model.contains("problems")) << model["problems"];
  const std::string text = model_text(model);
  EXPECT_NE(text.find("9 query heads, 3 key/value heads, of 64 each"), std::string::npos) << text;
  EXPECT_NE(metadata_text(describe_metadata(files, 8))
                .find("tokenizer.ggml.tokens                   array of string  49152 values"),
            std::string::npos);
}

}  // namespace
}  // namespace rung
