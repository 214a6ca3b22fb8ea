// `rung quantize` as a person meets it.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <limits>

#include "base/json.h"
#include "cli/program.h"
#include "engine/tiny_model.h"

namespace rung {
namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

class QuantizeCommand : public testing::Test {
 protected:
  Outcome run(const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"quantize", model.path().string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_rung(arguments);
  }
  static std::string answer_of(const std::string& path) {
    return run_rung({"logits", "--device", "reference", "-m", path, "the fox"}).out;
  }

  TinyModel model;
  TemporaryFolder folder;
  const std::string out = (folder / "out.gguf").string();
};

// Each window begins with the BOS: there must be room for something after it.
TEST_F(QuantizeCommand, AnImatrixNeedsAContextOfMoreThanTheBos) {
  const auto change = [&](const char* name, const Json& patch) {
    std::ifstream file(model / name);
    Json json = Json::parse(file);
    json.merge_patch(patch);
    model.write(name, json);
  };
  change("tokenizer.json",
         {{"post_processor",
           {{"type", "TemplateProcessing"},
            {"single",
             {{{"SpecialToken", {{"id", "<|im_start|>"}, {"type_id", 0}}}},
              {{"Sequence", {{"id", "A"}, {"type_id", 0}}}}}},
            {"pair", Json::array()},
            {"special_tokens",
             {{"<|im_start|>", {{"id", "<|im_start|>"}, {"ids", {0}}, {"tokens", {"<|im_start|>"}}}}}}}}});
  change("tokenizer_config.json", {{"bos_token", "<|im_start|>"}});
  std::ofstream(folder / "text.txt") << "the fox";
  const std::vector<std::string> arguments{"--to", "q4_0", "--imatrix", (folder / "text.txt").string(), out};
  change("config.json", {{"max_position_embeddings", 2}});
  EXPECT_EQ(run(arguments).status, 0) << run(arguments).err;
  change("config.json", {{"max_position_embeddings", 1}});
  const Outcome outcome = run(arguments);
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.err, "rung: --imatrix: a context of 1 has no room for a token after the BOS\n");
}

TEST_F(QuantizeCommand, WritesAModelThatAnswersAsTheFolderDoes) {
  const Outcome outcome = run({"--to", "f32", out});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_TRUE(has(outcome.out, "out.gguf: ")) << outcome.out;
  EXPECT_EQ(outcome.err, "");
  EXPECT_NE(answer_of(out), "");
  EXPECT_EQ(answer_of(out), answer_of(model.path().string()));
}

TEST_F(QuantizeCommand, KeepsTheTemplateAndTheEndOfATurn) {
  ASSERT_EQ(run({"--to", "bf16", out}).status, 0);
  const auto chat = [](const std::string& path) {
    return run_rung({"generate", "--chat", "--device", "reference", "-n", "8", "--temperature", "0", "-m", path, "the"})
        .out;
  };
  EXPECT_NE(chat(out), "");
  EXPECT_EQ(chat(out), chat(model.path().string()));
}

TEST_F(QuantizeCommand, SaysWhatItDidAsJson) {
  const Outcome outcome = run({"--to", "q8_0", "--json", out});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const Json summary = Json::parse(outcome.out);
  EXPECT_EQ(summary["format"], "q8_0");
  EXPECT_EQ(summary["out"], out);
  EXPECT_GT(summary["weights"], 1000);
  EXPECT_GT(summary["bits_per_weight"], 8.4);
  EXPECT_EQ(summary["tensors"].size(), 2u + 2u * 9u + 1u);
}

TEST_F(QuantizeCommand, MeasuresImportanceInAText) {
  std::ofstream(folder / "text.txt") << "the fox and the hen, the hen and the fox";
  const Outcome outcome = run({"--to", "q4_0", "--imatrix", (folder / "text.txt").string(), out});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  std::ofstream(folder / "empty.txt");
  EXPECT_TRUE(has(run({"--to", "q4_0", "--imatrix", (folder / "empty.txt").string(), out}).err, "is empty"));
}

TEST_F(QuantizeCommand, MistakesAreUsageErrors) {
  for (const auto& [arguments, what] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"quantize"}, "which model?"},
           {{"quantize", "in.gguf"}, "where to?"},
           {{"quantize", "in.gguf", "out.gguf"}, "to which format?"},
           {{"quantize", "in.gguf", "out.gguf", "--to", "q4_k_s"},
            "no format is called 'q4_k_s', expected one of: q8_0"}}) {
    const Outcome outcome = run_rung(arguments);
    EXPECT_EQ(outcome.status, 2) << what;
    EXPECT_TRUE(has(outcome.err, what)) << outcome.err;
    EXPECT_EQ(outcome.out, "");
  }
}

// A lost original does not come back.
TEST_F(QuantizeCommand, WritesOverNothingThatWasRead) {
  const std::string text = (folder / "text.txt").string();
  std::ofstream(text) << "the fox and the hen, the hen and the fox";
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--to", "q8_0", (model / "config.json").string()},
        {"--to", "q8_0", (model / "tokenizer.json").string()},
        {"--to", "q8_0", (model / "model.safetensors").string()},
        {"--to", "q4_0", "--imatrix", text, text}}) {
    const auto size = std::filesystem::file_size(arguments.back());
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.status, 1);
    EXPECT_TRUE(has(outcome.err, "is what would be read: choose another file to write")) << outcome.err;
    EXPECT_EQ(std::filesystem::file_size(arguments.back()), size) << arguments.back();
  }
}

// Nor does another verb write over the model that it runs.
TEST_F(QuantizeCommand, NorDoesAnotherVerb) {
  ASSERT_EQ(run({"--to", "f32", out}).status, 0);
  const auto size = std::filesystem::file_size(out);
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"logits", "-m", out, "--out", out, "the fox"},
        {"trace", "-m", out, "--out", out, "the fox"},
        {"bench", "-m", out, "--prompt-tokens", "2", "--contexts", "2", "--batches", "1", "--decode-tokens", "1",
         "--repeat", "1", "--out", out}}) {
    const Outcome outcome = run_rung(arguments);
    EXPECT_EQ(outcome.status, 1) << arguments[0];
    EXPECT_TRUE(has(outcome.err, "is what is read: choose another file to write")) << outcome.err;
    EXPECT_EQ(std::filesystem::file_size(out), size) << arguments[0];
  }
}

// A weight that is no number makes logits that are none: an error as in `generate`, not a picture of nothing.
TEST_F(QuantizeCommand, AModelWithoutNumbersHasNoLikeliestToken) {
  ASSERT_EQ(run({"--to", "f32", out}).status, 0);
  std::fstream file(out, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(-4, std::ios::end);
  const float nothing = std::numeric_limits<float>::quiet_NaN();
  file.write(reinterpret_cast<const char*>(&nothing), sizeof nothing);
  file.close();
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"logits", "-m", out, "the fox"}, {"logits", "--json", "-m", out, "the fox"}}) {
    const Outcome outcome = run_rung(arguments);
    EXPECT_EQ(outcome.status, 1);
    EXPECT_TRUE(has(outcome.err, "the model gave nan as the logit of token ")) << outcome.err;
    EXPECT_EQ(outcome.out, "");
  }
}

TEST_F(QuantizeCommand, WhatCannotBeIsOneLineAndNoFile) {
  ASSERT_EQ(run({"--to", "q8_0", out}).status, 0);
  const auto size = std::filesystem::file_size(out);
  EXPECT_TRUE(has(run_rung({"quantize", out, "--to", "q4_0", out}).err, "is what would be read")) << "its own input";
  EXPECT_EQ(std::filesystem::file_size(out), size);
  EXPECT_TRUE(has(run({"--to", "q8_0", folder.path().string()}).err, "not a regular file"));
  EXPECT_TRUE(
      has(run_rung({"quantize", (folder / "none").string(), "--to", "q8_0", out}).err, "no such file or folder"));
  std::filesystem::remove(model / "model.safetensors");
  const Outcome weightless = run({"--to", "q8_0", (folder / "other.gguf").string()});
  EXPECT_EQ(weightless.status, 1);
  EXPECT_TRUE(has(weightless.err, "model.safetensors")) << weightless.err;
  EXPECT_FALSE(std::filesystem::exists(folder / "other.gguf"));
}

TEST_F(QuantizeCommand, ATokenizerThatGgufCannotExpressIsRefused) {
  std::ifstream in(model / "tokenizer.json");
  Json tokenizer = Json::parse(in);
  tokenizer["pre_tokenizer"] = {
      {"type", "Sequence"},
      {"pretokenizers",
       {{{"type", "Split"}, {"pattern", {{"Regex", "[aeiou]"}}}, {"behavior", "Isolated"}, {"invert", false}},
        tokenizer["pre_tokenizer"]}}};
  model.write("tokenizer.json", tokenizer);
  const Outcome outcome = run({"--to", "q8_0", out});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_TRUE(has(outcome.err, "no name is known for how this tokenizer cuts text into words ('[aeiou]')"))
      << outcome.err;
  EXPECT_EQ(run({"--to", "q8_0", "--pre", "gpt-2", out}).status, 0);
}

// In a GGUF file the unknown token is found in the text as it stands: one that tokenizer.json does not look for would
// be another.
TEST_F(QuantizeCommand, AnUnknownTokenThatIsNoAddedTokenIsRefused) {
  std::ifstream in(model / "tokenizer.json");
  Json tokenizer = Json::parse(in);
  tokenizer["pre_tokenizer"] = nullptr;
  tokenizer["model"]["unk_token"] = "the";
  model.write("tokenizer.json", tokenizer);
  const Outcome outcome = run({"--to", "q8_0", out});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_TRUE(has(outcome.err, "the unk_token 'the' is not among the added tokens: GGUF cannot say that"))
      << outcome.err;
}

}  // namespace
}  // namespace rung
