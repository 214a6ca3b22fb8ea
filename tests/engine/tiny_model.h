// A whole model for tests: the committed weights of golden/models/llama (2 layers, 160 tokens, a context of 256), and a
// tokenizer and a chat template that are made here. Each printable ASCII character is a token, and "th" and "the" are.
#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/json.h"
#include "files/temporary_folder.h"
#include "paths.h"

namespace rung {

class TinyModel {
 public:
  static constexpr const char* kTemplate =
      "{% for m in messages %}{% if m.content == 'forbidden' %}{{ raise_exception('not that word') }}{% endif %}"
      "<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt "
      "%}<|im_start|>assistant\n{% endif %}";

  // An empty template: none.
  explicit TinyModel(const char* chat_template = kTemplate) {
    const std::filesystem::path golden = golden_folder() / "models" / "llama";
    for (const char* name : {"config.json", "model.safetensors"}) std::filesystem::copy(golden / name, folder_ / name);
    write("tokenizer.json", tokenizer());
    Json config = {{"bos_token", nullptr}, {"eos_token", "<|im_end|>"}};
    if (*chat_template != '\0') config["chat_template"] = chat_template;
    write("tokenizer_config.json", config);
  }

  const std::filesystem::path& path() const { return folder_.path(); }
  std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }
  void write(const std::string& name, const Json& value) const { std::ofstream(folder_ / name) << value.dump(); }

 private:
  static Json tokenizer() {
    Json vocab = {{"<|im_start|>", 0}, {"<|im_end|>", 1}, {"Ġ", 2}, {"Ċ", 3}, {"th", 4}, {"the", 5}};
    for (char c = '!'; c <= '~'; ++c) vocab[std::string(1, c)] = vocab.size();
    while (vocab.size() < 160) {
      // no text becomes one of these, but the model may say them
      vocab[fmt::format("<{}>", vocab.size())] = vocab.size();
    }
    const auto added = [](int id, const char* text) {
      return Json{{"id", id},        {"content", text},     {"single_word", false}, {"lstrip", false},
                  {"rstrip", false}, {"normalized", false}, {"special", true}};
    };
    const Json byte_level = {
        {"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}};
    return {{"version", "1.0"},
            {"truncation", nullptr},
            {"padding", nullptr},
            {"added_tokens", {added(0, "<|im_start|>"), added(1, "<|im_end|>")}},
            {"normalizer", nullptr},
            {"pre_tokenizer", byte_level},
            {"post_processor", nullptr},
            {"decoder", byte_level},
            {"model",
             {{"type", "BPE"},
              {"dropout", nullptr},
              {"unk_token", nullptr},
              {"continuing_subword_prefix", nullptr},
              {"end_of_word_suffix", nullptr},
              {"fuse_unk", false},
              {"byte_fallback", false},
              {"ignore_merges", false},
              {"vocab", vocab},
              {"merges", {"t h", "th e"}}}}};
  }

  TemporaryFolder folder_;
};

}  // namespace rung
