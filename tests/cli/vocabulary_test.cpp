// Every verb on a model with ids that its tokenizer has no token for (the padding of Qwen 2), and with a token that its
// embedding has no row for (the image token of Gemma 3).
#include <gtest/gtest.h>

#include <fstream>

#include "base/json.h"
#include "cli/program.h"
#include "engine/tiny_model.h"

namespace rung {
namespace {

// The tokens from `first` on are gone; "<image>" is beyond the embedding.
void change_tokenizer(const TinyModel& model, int first) {
  std::ifstream in(model / "tokenizer.json");
  Json tokenizer = Json::parse(in);
  const Json vocabulary = tokenizer["model"]["vocab"];
  for (const auto& [text, id] : vocabulary.items()) {
    if (id.get<int>() >= first) tokenizer["model"]["vocab"].erase(text);
  }
  Json image = tokenizer["added_tokens"][0];
  image["id"] = 160;
  image["content"] = "<image>";
  tokenizer["added_tokens"].push_back(image);
  model.write("tokenizer.json", tokenizer);
  model.write("generation_config.json", {{"eos_token_id", {1, 150}}});
}

TEST(Vocabulary, IdsWithoutATokenAreAnEmptyPieceInEveryVerb) {
  const TinyModel model;
  change_tokenizer(model, 120);
  std::ofstream(model / "text.txt") << "the fox and the hen";
  const std::string path = model.path().string(), text = (model / "text.txt").string();
  const auto expect_fine = [](std::vector<std::string> arguments, const std::string& input = "") {
    const Outcome outcome = run_rung(arguments, {.input = input});
    EXPECT_EQ(outcome.status, 0) << arguments[0] << ": " << outcome.err;
    return outcome.out;
  };
  const std::vector<std::string> wild{"--temperature", "5", "-n", "60", "--seed", "3", "-m", path};
  const auto wildly = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin() + 1, wild.begin(), wild.end());
    return arguments;
  };
  expect_fine(wildly({"generate", "the"}));
  expect_fine(wildly({"generate", "--json", "the"}));
  expect_fine(wildly({"generate", "--chat", "the"}));
  expect_fine(wildly({"chat"}), "the\nfox\n");
  const Json logits = Json::parse(expect_fine({"logits", "--json", "--top", "160", "-m", path, "the"}));
  EXPECT_NE(logits.dump().find(R"("piece":"")"), std::string::npos) << logits.dump();
  expect_fine({"logits", "--top", "160", "-m", path, "the"});
  expect_fine({"trace", "-m", path, "the"});
  expect_fine({"eval", "--context", "8", "-m", path, text});
  EXPECT_EQ(expect_fine({"tokenize", "-m", path, "--decode", "4,150,4"}), "thth");
  EXPECT_NE(expect_fine({"inspect", "--json", "-m", path}).find(R"({"id":150,"piece":""})"), std::string::npos);
  expect_fine({"inspect", "-m", path});
}

TEST(Vocabulary, IdsWithoutARowAreAnErrorOnlyInAPrompt) {
  const TinyModel model;
  change_tokenizer(model, 160);
  const std::string path = model.path().string();
  for (const char* verb : {"generate", "logits", "trace"}) {
    EXPECT_EQ(run_rung({verb, "-m", path, "the"}).status, 0) << verb;
    const Outcome used = run_rung({verb, "-m", path, "a <image>"});
    EXPECT_EQ(used.status, 1) << verb;
    EXPECT_EQ(used.err, "rung: token id 160 has no row in the embedding, which ends with 159\n") << verb;
  }
  EXPECT_EQ(run_rung({"tokenize", "-m", path, "a <image>"}).status, 0);
}

}  // namespace
}  // namespace rung
