// Where an answer ends: tokens by what the files name and by how they are called, texts that are tokens, limits.
#include "engine/answer_ends.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "engine/chat_prompt.h"
#include "engine/device.h"
#include "engine/generate.h"
#include "engine/tiny_model.h"
#include "files/expect_error.h"
#include "files/gguf_builder.h"

namespace rung {
namespace {

// Gives tokens of the tiny model other names, and makes them added ones.
void name_tokens(const TinyModel& model, const std::map<TokenId, std::string>& names, bool special = true) {
  std::ifstream in(model / "tokenizer.json");
  Json document = Json::parse(in);
  for (const auto& [id, name] : names) {
    Json& vocabulary = document["model"]["vocab"];
    const auto old = std::find(vocabulary.begin(), vocabulary.end(), Json(id));
    if (old != vocabulary.end()) vocabulary.erase(old);
    vocabulary[name] = id;
    document["added_tokens"].push_back({{"id", id},
                                        {"content", name},
                                        {"single_word", false},
                                        {"lstrip", false},
                                        {"rstrip", false},
                                        {"normalized", false},
                                        {"special", special}});
  }
  model.write("tokenizer.json", document);
}

std::set<TokenId> ends_of(const std::map<TokenId, std::string>& names, bool special = true) {
  const TinyModel model("");
  name_tokens(model, names, special);
  model.write("tokenizer_config.json", Json::object());
  return LoadedModel(ModelFiles::open(model.path())).stop_ids();
}

using Ids = std::set<TokenId>;

// llama.cpp#9606: files name one end, the model uses several.
TEST(AnswerEnds, AreKnownByTheirNames) {
  EXPECT_EQ(ends_of({}), (Ids{1, 2})) << "<|im_end|>, and what config.json names";
  EXPECT_EQ(ends_of({{140, "<|endoftext|>"}, {141, "<|eot_id|>"}, {142, "<|other|>"}}), (Ids{1, 2, 140, 141}));
  EXPECT_EQ(ends_of({{140, "<｜end▁of▁sentence｜>"}, {141, "<|end|>"}}, false), (Ids{1, 2, 140, 141}))
      << "added, if not special: fine-tuned models have such";
}

TEST(AnswerEnds, OfGptOssAreNotTheEndOfItsAnalysisNorThoseOfGemma4AWordOfItsTexts) {
  EXPECT_EQ(ends_of({{140, "<|return|>"}, {141, "<|call|>"}, {142, "<|end|>"}}), (Ids{1, 2, 140, 141}));
  EXPECT_EQ(ends_of({{140, "<|flush|>"}, {141, "<|calls|>"}, {142, "<|end|>"}}), (Ids{1, 2, 140, 141}));
  EXPECT_EQ(ends_of({{140, "<|tool_response>"}, {141, "<turn|>"}, {142, "</s>"}}), (Ids{1, 2, 140, 141}));
}

// … also where its template ends a turn with that token; but what a file names itself holds.
TEST(AnswerEnds, AnExceptionHoldsAgainstTheTemplateAndNotAgainstTheFiles) {
  const TinyModel model("{% for m in messages %}{{ m.content }}<|end|>{% endfor %}");
  name_tokens(model, {{140, "<|return|>"}, {141, "<|call|>"}, {142, "<|end|>"}});
  EXPECT_FALSE(LoadedModel(ModelFiles::open(model.path())).stop_ids().contains(142));
  model.write("generation_config.json", {{"eos_token_id", 142}});
  EXPECT_TRUE(LoadedModel(ModelFiles::open(model.path())).stop_ids().contains(142));
}

TEST(AnswerEnds, OfAGgufFileToo) {
  GgufBuilder b(0, 6);
  const std::vector<std::pair<std::string, std::int32_t>> tokens{
      {"a", 1}, {"<|im_end|>", 3}, {"<|endoftext|>", 3}, {"<eos>", 4}, {"</s>", 1}};
  b.key("tokenizer.ggml.model", 8).string("gpt2").key("tokenizer.ggml.pre", 8).string("gpt-2");
  b.key("tokenizer.ggml.tokens", 9).number(std::uint32_t{8}).number(std::uint64_t{tokens.size()});
  for (const auto& [text, type] : tokens) b.string(text);
  b.key("tokenizer.ggml.token_type", 9).number(std::uint32_t{5}).number(std::uint64_t{tokens.size()});
  for (const auto& [text, type] : tokens) b.number(type);
  b.key("tokenizer.ggml.merges", 9).number(std::uint32_t{8}).number(std::uint64_t{0});
  b.u32("tokenizer.ggml.eos_token_id", 1);
  const TemporaryFolder folder;
  std::ofstream(folder / "t.gguf", std::ios::binary) << b.text();
  const ModelFiles files = ModelFiles::open(folder / "t.gguf");
  EXPECT_EQ(answer_ends(files, files.tokenizer(), nullptr), (Ids{1, 2, 3})) << "an ordinary word </s> is none";
}

class Answers : public testing::Test {
 protected:
  Generated answer(const GenerateOptions& options) {
    const LoadedModel model(ModelFiles::open(folder_.path()));
    Device device;
    Session session(model.model(), device.ops());
    return generate(session, model.tokenizer(), encode_prompt(model.tokenizer(), "the fox"), options);
  }
  static GenerateOptions greedy(std::size_t max_tokens) {
    return {.max_tokens = max_tokens, .sampling = Sampling{.temperature = 0}};
  }
  TinyModel folder_;
};

// koboldcpp#791, llama.cpp#6770
TEST_F(Answers, EndAtATextThatIsAToken) {
  const std::vector<TokenId> ids = answer(greedy(6)).ids;
  ASSERT_EQ(ids.size(), 6u);
  const TokenId fourth = ids[3];
  const auto first = std::find(ids.begin(), ids.end(), fourth);
  for (const bool hidden : {true, false}) {
    const TinyModel fresh;
    std::filesystem::copy(fresh / "tokenizer.json", folder_ / "tokenizer.json",
                          std::filesystem::copy_options::overwrite_existing);
    name_tokens(folder_, {{fourth, "<|halt|>"}}, hidden);
    GenerateOptions options = greedy(6);
    options.stop = {"<|halt|>"};
    const Generated result = answer(options);
    EXPECT_EQ(result.reason, StopReason::stop_string);
    EXPECT_EQ(result.ids, std::vector<TokenId>(ids.begin(), first)) << hidden;
    EXPECT_EQ(result.text.find("halt"), std::string::npos);
  }
}

TEST_F(Answers, AreAsLongAsTheLimitOfPromptAndAnswerAllows) {
  GenerateOptions options = greedy(50);
  options.max_length = 12;
  const Generated result = answer(options);
  const std::size_t prompt = result.prefill.tokens;
  EXPECT_EQ(prompt + result.ids.size(), 12u);
  EXPECT_EQ(result.reason, StopReason::max_tokens);
  options.max_length = prompt;
  expect_error([&] { answer(options); }, "expected fewer than max_length");
}

TEST_F(Answers, EndInAForcedTokenWhereTheLimitIs) {
  GenerateOptions options = greedy(5);
  options.sampling->forced_end = {1};
  options.stop_ids = {1};
  const Generated result = answer(options);
  EXPECT_EQ(result.reason, StopReason::end_of_text);
  EXPECT_EQ(result.ids.size(), 4u);
}

}  // namespace
}  // namespace rung
