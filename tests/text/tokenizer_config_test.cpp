// What lies beside a tokenizer.json, against transformers' AutoTokenizer: tools/goldens/tokenizer_configs.py.
#include <fstream>

#include "base/error.h"
#include "base/mapped_file.h"
#include "files/expect_error.h"
#include "files/temporary_folder.h"
#include "paths.h"
#include "text/tokenizer_golden.h"

namespace rung {
namespace {

Json goldens() {
  const MappedFile file(golden_folder() / "text" / "tokenizer_configs.json");
  return parse_json(file.text(), "tokenizer_configs.json");
}

Json id_or_null(std::optional<TokenId> id) { return id ? Json(*id) : Json(); }

TEST(TokenizerConfig, ChangesWhatTransformersLetsItChange) {
  const Json golden = goldens();
  for (const Json& config : golden["configs"]) {
    SCOPED_TRACE(config["name"]);
    const TemporaryFolder folder;
    std::ofstream(folder / "tokenizer.json") << golden["tokenizer"];
    for (const auto& [name, content] : config["files"].items()) std::ofstream(folder / name) << content;
    const Tokenizer tokenizer = Tokenizer::from_folder(folder.path());
    EXPECT_EQ(id_or_null(tokenizer.bos()), config["bos"]);
    EXPECT_EQ(id_or_null(tokenizer.eos()), config["eos"]);
    for (const Json& item : config["cases"]) expect_case(tokenizer, item);
  }
}

void expect_refused(const Json& config, const std::string& part) {
  const TemporaryFolder folder;
  std::ofstream(folder / "tokenizer.json") << goldens()["tokenizer"];
  std::ofstream(folder / "tokenizer_config.json") << config;
  expect_error([&] { Tokenizer::from_folder(folder.path()); }, part);
}

TEST(TokenizerConfig, WhatWouldChangeTheIdsAndIsNotDoneIsRefused) {
  expect_refused({{"split_special_tokens", true}}, "'split_special_tokens' is true, expected false");
  expect_refused({{"clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output", true}},
                 "is true, expected false");
  expect_refused({{"bos_token", 5}}, "tokenizer_config.json.bos_token");
  expect_refused({{"additional_special_tokens", {1}}}, "tokenizer_config.json.additional_special_tokens[0]");
  expect_refused({{"added_tokens_decoder", {{"x", {{"content", "y"}}}}}}, "this is no token id");
  expect_refused(Json::array(), "expected an object");
}

// A name that the vocabulary lacks would get an id for which the model has no row.
TEST(TokenizerConfig, ANameThatTheVocabularyLacksStaysPlainText) {
  const TemporaryFolder folder;
  std::ofstream(folder / "tokenizer.json") << goldens()["tokenizer"];
  std::ofstream(folder / "tokenizer_config.json") << Json{{"pad_token", "ba"}, {"eos_token", "ba"}};
  const Tokenizer tokenizer = Tokenizer::from_folder(folder.path());
  EXPECT_EQ(tokenizer.encode("ba", {.add_special = false}), (std::vector<TokenId>{6, 5}));
  EXPECT_EQ(tokenizer.eos(), std::nullopt);
}

}  // namespace
}  // namespace rung
