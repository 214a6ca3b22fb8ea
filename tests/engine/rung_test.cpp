// The library's front door: what nobody says is as the model says.
#include <gtest/gtest.h>

#include "engine/rung.h"
#include "engine/tiny_model.h"

namespace rung {
namespace {

TEST(Engine, SamplesAsTheModelSays) {
  const TinyModel model;
  model.write("generation_config.json", {{"do_sample", false}});
  Engine engine(model.path());
  const Generated generated = engine.generate("the", {.max_tokens = 24});
  EXPECT_EQ(generated.ids, engine.generate("the", {.max_tokens = 24, .sampling = Sampling{.temperature = 0}}).ids);
  EXPECT_FALSE(generated.ids.empty());
}

TEST(Engine, AnswersAsLongAsTransformersWould) {
  std::ifstream file(golden_folder() / "sampling" / "lengths.json");
  const TinyModel model;
  Json config = Json::parse(std::ifstream(model / "config.json"));
  config["max_position_embeddings"] = 512;
  model.write("config.json", config);
  const Json golden = Json::parse(file);
  for (const Json& c : golden["cases"]) {
    model.write("generation_config.json", c["generation_config"]);
    Engine engine(model.path());
    const std::string prompt = std::string("abcdefghijkl").substr(0, c["prompt_tokens"].get<std::size_t>());
    GenerateOptions options{.ignore_ends = true};
    if (c["caller"].contains("max_new_tokens")) options.max_tokens = c["caller"]["max_new_tokens"].get<std::size_t>();
    if (c["new_tokens"].is_null()) {
      EXPECT_THROW(engine.generate(prompt, options), Error) << c;
    } else {
      EXPECT_EQ(engine.generate(prompt, options).ids.size(), c["new_tokens"].get<std::size_t>()) << c;
    }
  }
}

TEST(Engine, TakesAnotherSeedEachTimeAndSaysWhich) {
  const TinyModel model;
  model.write("generation_config.json", {{"do_sample", true}, {"temperature", 5.0}, {"top_k", 0}, {"top_p", 1.0}});
  Engine engine(model.path());
  const Generated once = engine.generate("the", {.max_tokens = 24}), again = engine.generate("the", {.max_tokens = 24});
  EXPECT_NE(once.seed, again.seed);
  Sampling sampling = engine.model().sampling();
  sampling.seed = once.seed;
  EXPECT_EQ(engine.generate("the", {.max_tokens = 24, .sampling = sampling}).ids, once.ids);
}

TEST(Engine, ChatsAsTheModelSaysToo) {
  const TinyModel model;
  model.write("generation_config.json", {{"do_sample", false}});
  Engine engine(model.path());
  const OrderedJson messages = {{{"role", "user"}, {"content", "the"}}};
  EXPECT_EQ(engine.chat(messages, {.max_tokens = 8}).ids,
            engine.chat(messages, {.max_tokens = 8, .sampling = Sampling{.temperature = 0}}).ids);
}

TEST(Engine, ADeviceThatCannotBeIsAnError) {
  const TinyModel model;
  EXPECT_THROW(Engine(model.path(), {.device = "quantum"}), Error);
  EXPECT_THROW(Engine(model.path(), {.threads = Device::kMostThreads + 1}), Error);
}

}  // namespace
}  // namespace rung
