// Tokenizer and embedding do not always end at the same id. Ids that only the tokenizer has (Gemma 3's 262144, over
// 262,144 rows) are an error where they are used, and nowhere else; ids that only the embedding has (the padding of
// Qwen 2) are an empty piece.
#include <gtest/gtest.h>

#include <fstream>

#include "convert/quantize.h"
#include "engine/device.h"
#include "engine/generate.h"
#include "engine/loaded_model.h"
#include "engine/tiny_model.h"
#include "files/expect_error.h"

namespace rung {
namespace {

constexpr TokenId kBeyond = 160;  // the tiny model has 160 rows

Json tokenizer_of(const TinyModel& model) {
  std::ifstream in(model / "tokenizer.json");
  return Json::parse(in);
}

// Its tokenizer has one token more than its embedding has rows, and a merge that leads to it.
void add_a_token(const TinyModel& model) {
  Json tokenizer = tokenizer_of(model);
  Json added = tokenizer["added_tokens"][0];
  added["id"] = kBeyond;
  added["content"] = "<image>";
  tokenizer["added_tokens"].push_back(added);
  tokenizer["model"]["vocab"]["them"] = kBeyond + 1;
  tokenizer["model"]["merges"].push_back("the m");
  model.write("tokenizer.json", tokenizer);
  model.write("generation_config.json", {{"eos_token_id", {1, kBeyond}}});
}

// The ids that no text becomes have no token at all.
void drop_the_last_tokens(const TinyModel& model) {
  Json tokenizer = tokenizer_of(model);
  const Json all = tokenizer["model"]["vocab"];
  for (const auto& [text, id] : all.items()) {
    if (id.get<int>() >= 120) tokenizer["model"]["vocab"].erase(text);
  }
  model.write("tokenizer.json", tokenizer);
}

TEST(IdsWithoutARow, AreAnErrorOnlyWhereAPromptUsesThem) {
  const TinyModel folder;
  add_a_token(folder);
  const LoadedModel model(ModelFiles::open(folder.path()));
  Device device;
  Session session(model.model(), device.ops());
  const auto ids = [&](const char* text) { return model.tokenizer().encode(text); };
  EXPECT_EQ(generate(session, model.tokenizer(), ids("the fox"), {.max_tokens = 3}).ids.size(), 3u);
  ASSERT_EQ(ids("<image>"), std::vector<TokenId>{kBeyond});
  expect_error([&] { generate(session, model.tokenizer(), ids("a <image>"), {}); },
               "token id 160 has no row in the embedding, which ends with 159");

  Forward forward(model.model(), device.ops());  // as eval, compare and the importance matrix call it
  KvCache cache(kv_shape(model.model().config));
  Batch batch;
  batch.add(kBeyond, 0, cache);
  expect_error([&] { forward.run(batch); }, "token id 160 has no row");
}

// The tokens, merges and ids that a GGUF file has.
void expect_whole_vocabulary(const Gguf& gguf) {
  EXPECT_EQ(gguf.strings("tokenizer.ggml.tokens")->size(), 160u);
  EXPECT_EQ(gguf.integers("tokenizer.ggml.token_type")->size(), 160u);
  EXPECT_EQ(*gguf.strings("tokenizer.ggml.merges"), (std::vector<std::string_view>{"t h", "th e"}));
  EXPECT_EQ(gguf.integer("tokenizer.ggml.eos_token_id"), 1);
  EXPECT_NE(gguf.integer("tokenizer.ggml.eot_token_id"), kBeyond);
}

void write(const GgufOutline& outline, const std::filesystem::path& out) {
  ThreadTeam team(1);
  quantize(outline, choose_types(quantize_format("f32"), outline.tensors, false), {}, out, team, {});
}

TEST(IdsWithoutARow, AreLeftOutOfAGguf) {
  const TinyModel folder;
  add_a_token(folder);
  const ModelFiles files = ModelFiles::open(folder.path());
  GgufOutline outline = outline_gguf(files);
  write(outline, folder / "model.gguf");
  expect_whole_vocabulary(Gguf::open(folder / "model.gguf"));

  // The same of a GGUF that has too many.
  const Gguf once = Gguf::open(folder / "model.gguf");
  auto tokens = *once.strings("tokenizer.ggml.tokens");
  tokens.insert(tokens.end(), {"<image>", "them"});
  auto merges = *once.strings("tokenizer.ggml.merges");
  merges.emplace_back("the m");
  outline.metadata.set_array("tokenizer.ggml.tokens", tokens);
  outline.metadata.set_array("tokenizer.ggml.token_type", std::vector<std::int32_t>(162, 1));
  outline.metadata.set_array("tokenizer.ggml.merges", merges);
  outline.metadata.set_scalar("tokenizer.ggml.eot_token_id", std::uint32_t{kBeyond});
  write(outline, folder / "large.gguf");
  EXPECT_EQ(LoadedModel(ModelFiles::open(folder / "large.gguf")).tokenizer().vocab_size(), 162u);
  write(outline_gguf(ModelFiles::open(folder / "large.gguf")), folder / "again.gguf");
  expect_whole_vocabulary(Gguf::open(folder / "again.gguf"));
}

TEST(IdsWithoutAToken, AreAnEmptyPiece) {
  const TinyModel folder;
  drop_the_last_tokens(folder);
  const LoadedModel model(ModelFiles::open(folder.path()));
  const Tokenizer& tokenizer = model.tokenizer();
  ASSERT_LT(tokenizer.vocab_size(), 121u);
  EXPECT_EQ(tokenizer.piece(150), "");
  EXPECT_FALSE(tokenizer.is_special(150));
  const std::vector<TokenId> the = tokenizer.encode("the");
  EXPECT_EQ(tokenizer.decode(std::vector<TokenId>{150, the[0], 159, 150, the[0]}), "thethe");

  // Said, they add nothing to the text and end no answer.
  Device device;
  Session session(model.model(), device.ops());
  const Generated said =
      generate(session, tokenizer, the, {.max_tokens = 100, .sampling = Sampling{.temperature = 5, .seed = 0}});
  EXPECT_EQ(said.ids.size(), 100u);
  EXPECT_TRUE(std::any_of(said.ids.begin(), said.ids.end(), [](TokenId id) { return id >= 120; }));
  EXPECT_EQ(said.text, tokenizer.decode(said.ids, true));
}

}  // namespace
}  // namespace rung
