// What a model's files say beside its weights: sampling, the ends of an answer, the chat template.
#include "engine/loaded_model.h"

#include <gtest/gtest.h>

#include <fstream>
#include <limits>

#include "engine/chat_prompt.h"
#include "engine/tiny_model.h"
#include "files/expect_error.h"
#include "files/gguf_builder.h"

namespace rung {
namespace {

Sampling sampling_with(const Json& generation_config) {
  const TinyModel model;
  model.write("generation_config.json", generation_config);
  return ModelFiles::open(model.path()).generation().sampling;
}

TEST(GenerationConfig, IsTheDefaultOfSamplingWhereItSaysSo) {
  const Sampling ours;
  EXPECT_EQ(sampling_with({{"temperature", 0.6}}).temperature, ours.temperature)
      << "without do_sample it says nothing about sampling";
  EXPECT_EQ(sampling_with({{"do_sample", false}, {"temperature", 0.6}}).temperature, 0.0f);
  const Sampling s = sampling_with({{"do_sample", true},
                                    {"temperature", 0.5},
                                    {"top_k", 20},
                                    {"top_p", 0.75},
                                    {"min_p", 0.25},
                                    {"repetition_penalty", 1.5}});
  EXPECT_EQ(s.temperature, 0.5f);
  EXPECT_EQ(s.top_k, 20u);
  EXPECT_EQ(s.top_p, 0.75f);
  EXPECT_EQ(s.min_p, 0.25f);
  EXPECT_EQ(s.repeat_penalty, 1.5f);
  const Sampling silent = sampling_with({{"do_sample", true}});  // what transformers takes then
  EXPECT_EQ(silent.temperature, 1.0f);
  EXPECT_EQ(silent.top_k, 50u);
}

TEST(GenerationConfig, NumbersThatCannotBeAreErrorsThatNameTheFile) {
  const auto refused = [](const char* key, const Json& value, const std::string& part) {
    expect_error([&] { sampling_with({{"do_sample", true}, {key, value}}); }, "generation_config.json: " + part);
  };
  refused("temperature", -1, "temperature is -1, expected 0 or more");
  refused("temperature", "hot", "'temperature' is \"hot\", expected a number");
  refused("temperature", 1e300, "temperature is inf");
  refused("top_p", 0, "top-p is 0, expected more than 0, at most 1");
  refused("min_p", 1.5, "min-p is 1.5, expected 0 to 1");
  refused("repetition_penalty", 0, "repeat-penalty is 0, expected more than 0");
  EXPECT_EQ(sampling_with({{"do_sample", true}, {"top_k", -1}}).top_k, 0u);
  EXPECT_EQ(sampling_with({{"do_sample", true}, {"top_k", 1e300}}).top_k, 1'000'000'000u);
}

TEST(GenerationConfig, OfAGgufFileToo) {
  const auto sampling = [](float temperature) {
    GgufBuilder b(0, 1);
    b.key("general.sampling.temp", 6).number(temperature);
    const TemporaryFolder folder;
    std::ofstream(folder / "t.gguf", std::ios::binary) << b.text();
    return ModelFiles::open(folder / "t.gguf").generation().sampling;
  };
  EXPECT_EQ(sampling(0.25f).temperature, 0.25f);
  expect_error([&] { sampling(std::numeric_limits<float>::quiet_NaN()); },
               "t.gguf: general.sampling: temperature is nan");
}

TEST(GenerationConfig, OfAGgufFileNamesWhatIsNotDone) {
  const auto undone = [](std::uint64_t keys, const auto& write) {
    GgufBuilder b(0, keys);
    write(b);
    const TemporaryFolder folder;
    std::ofstream(folder / "t.gguf", std::ios::binary) << b.text();
    return ModelFiles::open(folder / "t.gguf").generation().undone;
  };
  EXPECT_EQ(undone(7,
                   [](GgufBuilder& b) {
                     b.i32("general.sampling.top_k", 20);
                     b.key("general.sampling.xtc_probability", 6).number(0.5f);
                     b.key("general.sampling.xtc_threshold", 6).number(0.1f);
                     b.i32("general.sampling.mirostat", 2);
                     b.key("general.sampling.mirostat_tau", 6).number(5.0f);
                     b.i32("general.sampling.penalty_last_n", 64);
                     b.key("general.sampling.sequence", 8).string("top_k;temperature");
                   }),
            (std::vector<std::string>{"mirostat", "sequence", "xtc_probability"}));
  EXPECT_EQ(undone(4,
                   [](GgufBuilder& b) {
                     b.key("general.sampling.xtc_probability", 6).number(0.0f);
                     b.i32("general.sampling.mirostat", 0);
                     b.key("general.sampling.mirostat_tau", 6).number(5.0f);
                     b.i32("general.sampling.penalty_last_n", 64);
                   }),
            std::vector<std::string>{})
      << "at rest, or of something at rest";
  EXPECT_EQ(undone(2,
                   [](GgufBuilder& b) {
                     b.key("general.sampling.penalty_repeat", 6).number(1.5f);
                     b.i32("general.sampling.penalty_last_n", 64);
                   }),
            std::vector<std::string>{"penalty_last_n"})
      << "ours looks at the whole text";
}

TEST(StopIds, AreAllThatTheFilesName) {
  const TinyModel model;
  model.write("generation_config.json", {{"eos_token_id", {7, 9}}});
  const std::set<TokenId> ids = ModelFiles::open(model.path()).stop_ids();
  EXPECT_TRUE(ids.contains(7) && ids.contains(9));
  EXPECT_TRUE(LoadedModel(ModelFiles::open(model.path())).stop_ids().contains(1))
      << "<|im_end|>, which ends a turn in the template";
  for (const Json& wrong : {Json(-2), Json("7"), Json(1.5), Json(1e18), Json::array({7, -2})}) {
    model.write("generation_config.json", {{"eos_token_id", wrong}});
    expect_error([&] { ModelFiles::open(model.path()).stop_ids(); }, "generation_config.json: 'eos_token_id' holds");
  }
}

TEST(StopIds, MinusOneIsNone) {
  const TinyModel model;
  for (const Json& none : {Json(-1), Json::array({-1})}) {
    model.write("generation_config.json", {{"eos_token_id", none}});
    EXPECT_EQ(ModelFiles::open(model.path()).stop_ids(), std::set<TokenId>{2}) << "what config.json names";
  }
}

TEST(GenerationConfig, PenaltiesAndRulesAskForNoDoSample) {
  const Json rules = {{"repetition_penalty", 1.5},    {"no_repeat_ngram_size", 3},      {"suppress_tokens", {4, -1}},
                      {"begin_suppress_tokens", {5}}, {"bad_words_ids", {{6}, {7, 8}}}, {"min_new_tokens", 2},
                      {"forced_eos_token_id", 9}};
  for (const Json& do_sample : {Json(nullptr), Json(false), Json(true)}) {
    Json config = rules;
    config["do_sample"] = do_sample;
    const Sampling s = sampling_with(config);
    EXPECT_EQ(s.repeat_penalty, 1.5f) << do_sample;
    EXPECT_EQ(s.no_repeat_ngram, 3u);
    EXPECT_EQ(s.suppress, std::vector<TokenId>{4});
    EXPECT_EQ(s.begin_suppress, std::vector<TokenId>{5});
    EXPECT_EQ(s.bad_words, (std::vector<std::vector<TokenId>>{{6}, {7, 8}}));
    EXPECT_EQ(s.min_tokens, 2u);
    EXPECT_EQ(s.forced_end, std::vector<TokenId>{9});
  }
}

TEST(GenerationConfig, SaysWhereAnAnswerEndsAndWhatIsNotDone) {
  const auto read = [](const Json& config) { return generation_from_json(config, "g"); };
  EXPECT_EQ(read({{"max_new_tokens", 7}, {"max_length", 9}}).max_tokens, 7u);
  EXPECT_FALSE(read({{"max_new_tokens", 7}, {"max_length", 9}}).max_length) << "transformers, too, takes the former";
  EXPECT_EQ(read({{"max_length", 9}}).max_length, 9u);
  EXPECT_EQ(read({{"stop_strings", "END"}}).stop, std::vector<std::string>{"END"});
  EXPECT_EQ(read({{"stop_strings", {"a", "b"}}}).stop, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(read({{"num_beams", 4}, {"guidance_scale", 1.5}, {"use_cache", true}, {"my_own_key", 7}}).undone,
            (std::vector<std::string>{"num_beams", "guidance_scale"}));
  EXPECT_TRUE(read({{"num_beams", 1}, {"typical_p", 1.0}, {"guidance_scale", nullptr}, {"epsilon_cutoff", 0.0}})
                  .undone.empty());
  EXPECT_TRUE(read({{"do_sample", false}, {"typical_p", 0.5}}).undone.empty()) << "it matters to those who draw";
  EXPECT_EQ(read({{"do_sample", true}, {"typical_p", 0.5}}).undone, std::vector<std::string>{"typical_p"});
  expect_error([&] { read({{"stop_strings", {1}}}); }, "g: 'stop_strings' holds 1, expected texts");
  expect_error([&] { read({{"bad_words_ids", {1}}}); }, "g: 'bad_words_ids' holds 1, expected lists of token ids");
}

std::optional<std::string> template_of(const TinyModel& model, bool tools) {
  return ModelFiles::open(model.path()).chat_template(tools);
}

// As transformers 5 chooses: chat_template.jinja and additional_chat_templates/ hide what tokenizer_config.json has;
// tool_use where there are tools.
TEST(ChatTemplates, TheOneThatIsMeantIsFound) {
  const TinyModel model;
  const auto configured = [&](const Json& chat_template) {
    model.write("tokenizer_config.json", {{"chat_template", chat_template}});
  };
  configured("plain");
  EXPECT_EQ(template_of(model, false), "plain");
  EXPECT_EQ(template_of(model, true), "plain");
  configured({{{"name", "default"}, {"template", "listed"}}, {{"name", "tool_use"}, {"template", "with tools"}}});
  EXPECT_EQ(template_of(model, false), "listed");
  EXPECT_EQ(template_of(model, true), "with tools");
  model.write("chat_template.json", {{"chat_template", "of the processor"}});
  EXPECT_EQ(template_of(model, false), "listed");
  std::ofstream(model / "chat_template.jinja") << "own file";
  EXPECT_EQ(template_of(model, false), "own file");
  EXPECT_EQ(template_of(model, true), "own file");
  std::filesystem::create_directory(model / "chat_templates");
  std::ofstream(model / "chat_templates/tool_use.jinja") << "own file with tools";
  EXPECT_EQ(template_of(model, false), "own file");
  EXPECT_EQ(template_of(model, true), "own file with tools");
  std::filesystem::create_directory(model / "additional_chat_templates");  // transformers#36588
  std::ofstream(model / "additional_chat_templates/tool_use.jinja") << "the folder that transformers writes";
  std::ofstream(model / "additional_chat_templates/rag.jinja") << "for documents";
  std::ofstream(model / "additional_chat_templates/README.md") << "none";
  EXPECT_EQ(template_of(model, true), "the folder that transformers writes");
  EXPECT_EQ(
      ModelFiles::open(model.path()).chat_templates(),
      (std::map<std::string, std::string>{
          {"default", "own file"}, {"tool_use", "the folder that transformers writes"}, {"rag", "for documents"}}));
}

TEST(ChatTemplates, OfAGgufHaveTheirNamesInTheirKeys) {
  GgufBuilder b(0, 2);
  b.key("tokenizer.chat_template", 8).string("plain");
  b.key("tokenizer.chat_template.rag", 8).string("for documents");
  const TemporaryFolder folder;
  std::ofstream(folder / "t.gguf", std::ios::binary) << b.text();
  EXPECT_EQ(ModelFiles::open(folder / "t.gguf").chat_templates(),
            (std::map<std::string, std::string>{{"default", "plain"}, {"rag", "for documents"}}));
}

TEST(ChatTemplates, AreChosenByName) {
  const TinyModel model;
  std::filesystem::create_directory(model / "additional_chat_templates");
  std::ofstream(model / "additional_chat_templates/rag.jinja") << "{{ messages[0].content }}";
  const ModelFiles files = ModelFiles::open(model.path());
  const Tokenizer tokenizer = files.tokenizer();
  const OrderedJson request = {{"messages", OrderedJson::array({make_message("user", "the")})}};
  EXPECT_EQ(ChatPrompter(files, tokenizer, {.source = {}, .name = "rag"}).render(request).text, "the");
  expect_error([&] { ChatPrompter(files, tokenizer, {.source = {}, .name = "rug"}); },
               "the model has no chat template named 'rug'; it has default, rag");
}

TEST(ChatPrompter, RefusesAKeyThatNothingReads) {
  const TinyModel model("{% for m in messages %}{{ m.content }}{% if enable_thinking %}!{% endif %}{% endfor %}");
  const ModelFiles files = ModelFiles::open(model.path());
  const Tokenizer tokenizer = files.tokenizer();
  const ChatPrompter prompter(files, tokenizer);
  OrderedJson request = {{"messages", OrderedJson::array({make_message("user", "a")})},
                         {"tools", nullptr},
                         {"add_generation_prompt", false},
                         {"eos_token", "<|im_end|>"}};
  request["enable_thinking"] = true;
  EXPECT_EQ(prompter.render(request).text, "a!");
  request["enable_thinkin"] = false;
  expect_error([&] { prompter.render(request); },
               "chat template: 'enable_thinkin' is nothing that the template reads; it reads enable_thinking");
}

TEST(ChatTemplates, OfTheWrongTypeAreErrors) {
  const TinyModel model;
  for (const Json& wrong : {Json(5), Json{{"a", 1}}, Json::array({1}), Json::array({Json{{"name", "default"}}})}) {
    model.write("tokenizer_config.json", {{"chat_template", wrong}});
    expect_error([&] { template_of(model, false); }, "tokenizer_config.json: 'chat_template'");
  }
}

// The template that names the end of a turn is the one that chats are rendered with.
TEST(LoadedModel, HandsOutItsTemplateOrSaysWhatIsWrongWithIt) {
  const TinyModel good, none(""), broken("{% if %}");
  EXPECT_FALSE(LoadedModel(ModelFiles::open(good.path()))
                   .prompter()
                   .render({{"messages", OrderedJson::array({make_message("user", "Hi")})}})
                   .ids.empty());
  const LoadedModel without(ModelFiles::open(none.path())), wrong(ModelFiles::open(broken.path()));
  expect_error([&] { without.prompter(); }, "no chat template");
  expect_error([&] { wrong.prompter(); }, "chat template:1:");
}

// --- where a model lies

namespace fs = std::filesystem;

// The hub's cache: models--OWNER--NAME/{blobs,refs,snapshots}.
class HubCache : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(cache / "blobs");
    fs::create_directories(cache / "refs");
    fs::create_directories(cache / "snapshots" / "0123abc");
    for (const char* name : {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}) {
      fs::copy(model / name, cache / "blobs" / name);
      fs::create_symlink(fs::path("../../blobs") / name, snapshot(name));
    }
    refer_to("0123abc");
  }
  void refer_to(const std::string& commit) { std::ofstream(cache / "refs" / "main") << commit; }
  fs::path snapshot(const char* name) const { return cache / "snapshots" / "0123abc" / name; }

  const TinyModel model;
  const TemporaryFolder place;
  const fs::path cache = place / "models--someone--tiny";
};

TEST_F(HubCache, IsTheSnapshotThatMainNames) {
  EXPECT_EQ(ModelFiles::open(cache).path(), cache / "snapshots" / "0123abc");
  refer_to("0123abc\n");
  EXPECT_NO_THROW(LoadedModel(ModelFiles::open(cache)));
  refer_to("4567def");
  expect_error([&] { ModelFiles::open(cache); }, "refs/main: names the snapshot 4567def, which is not there");
  refer_to("../../elsewhere");
  expect_error([&] { ModelFiles::open(cache); }, "refs/main: holds '../../elsewhere', expected the name of a commit");
  fs::remove(cache / "refs" / "main");
  expect_error([&] { ModelFiles::open(cache); }, "models--someone--tiny: holds no refs/main");
}

TEST_F(HubCache, AFileThatDidNotArriveIsNamedAlsoOneThatNobodyNeeds) {
  fs::create_symlink("../../blobs/generation", snapshot("generation_config.json"));
  expect_error([&] { LoadedModel(ModelFiles::open(cache)); },
               "generation_config.json: a link to ../../blobs/generation, which is not there");
  fs::remove(snapshot("generation_config.json"));
  fs::remove(cache / "blobs" / "model.safetensors");
  expect_error([&] { ModelFiles::open(cache); }, "model.safetensors: a link to ../../blobs/model.safetensors");
}

TEST(ModelPath, AFolderWithOneGgufIsThatFile) {
  const TemporaryFolder folder;
  const fs::path gguf = golden_folder() / "models" / "llama-gguf" / "model.gguf";
  expect_error([&] { ModelFiles::open(folder.path()); }, "no model lies in this folder");
  fs::copy(gguf, folder / "tiny-Q8_0.gguf");
  std::ofstream(folder / "README.md") << "# Tiny";
  EXPECT_EQ(ModelFiles::open(folder.path()).path(), folder / "tiny-Q8_0.gguf");
  std::ofstream(folder / "config.json") << "{}";  // some repositories leave it beside
  std::ofstream(folder / "mmproj-F16.gguf") << "GGUF";
  EXPECT_TRUE(ModelFiles::open(folder.path()).is_gguf());
  fs::remove(folder / "config.json");
  fs::copy(gguf, folder / "tiny-F16.gguf");
  expect_error([&] { ModelFiles::open(folder.path()); },
               "holds 2 models, expected the name of one: tiny-F16.gguf, tiny-Q8_0.gguf");
}

TEST(ModelPath, TheFirstPartOfASplitModelStandsForAll) {
  const TemporaryFolder folder;
  for (const char* number : {"1", "2", "3"}) {
    const std::string name = std::string("split-0000") + number + "-of-00003.gguf";
    fs::copy(golden_folder() / "files" / name, folder / name);
  }
  EXPECT_EQ(ModelFiles::open(folder.path()).path().filename(), "split-00001-of-00003.gguf");
}

std::string bytes_in(const fs::path& path) { return std::string(MappedFile(path).text()); }

TEST(ModelPath, FilesInMemoryAreAFolder) {
  const std::string one = bytes_in(golden_folder() / "models" / "llama-gguf" / "model.gguf");
  const CompiledFile single[]{{"tiny.gguf", std::as_bytes(std::span(one))}};
  const ModelFiles gguf = ModelFiles::in_memory("dropped", single);
  EXPECT_EQ(gguf.tensors().size(), ModelFiles::open(golden_folder() / "models" / "llama-gguf").tensors().size());
  EXPECT_EQ(gguf.tensors().begin()->second.file, "dropped/tiny.gguf");

  std::vector<std::string> parts;
  for (const char* number : {"1", "2", "3"}) {
    parts.push_back(bytes_in(golden_folder() / "files" / (std::string("split-0000") + number + "-of-00003.gguf")));
  }
  const CompiledFile split[]{{"split-00001-of-00003.gguf", std::as_bytes(std::span(parts[0]))},
                             {"split-00002-of-00003.gguf", std::as_bytes(std::span(parts[1]))},
                             {"split-00003-of-00003.gguf", std::as_bytes(std::span(parts[2]))}};
  EXPECT_EQ(ModelFiles::in_memory("dropped", split).path().filename(), "split-00001-of-00003.gguf");
  expect_error([&] { ModelFiles::in_memory("dropped", std::span(split).first(2)); },
               "dropped/split-00003-of-00003.gguf: No such file or directory");
  expect_error([&] { ModelFiles::in_memory("dropped", std::span(split).subspan(1)); },
               "dropped: no model lies in this folder");
}

// --- parts for pictures

TEST(PartsForPictures, AreCounted) {
  const LeftOut ollamas = ModelFiles::open(golden_folder() / "models" / "gemma3-ollama-gguf" / "model.gguf").left_out();
  EXPECT_EQ(ollamas.tensors, 9u);
  EXPECT_EQ(ollamas.beginnings, (std::set<std::string>{"mm.", "v."}));
  const LeftOut hubs = ModelFiles::open(golden_folder() / "models" / "gemma3-nested").left_out();
  EXPECT_GT(hubs.tensors, 0u);
  EXPECT_TRUE(hubs.beginnings.contains("multi_modal_projector."));
  EXPECT_EQ(ModelFiles::open(golden_folder() / "models" / "gemma3-gguf" / "model.gguf").left_out().tensors, 0u);
}

}  // namespace
}  // namespace rung
