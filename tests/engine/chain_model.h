// A model for tests whose next token is a table: `next[t]` follows token t, whatever came before. One layer whose
// attention and MLP are zeros; token t's embedding is the t-th unit vector, and row n of the head has ones where
// next[t] = n. Tokens: <|im_start|>, <|im_end|> (special), <think>, </think> (added, not special), printable ASCII,
// space, line break, "th".
#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "files/temporary_folder.h"
#include "files/write_safetensors.h"
#include "text/tokenizer.h"

namespace rung {

class ChainModel {
 public:
  // `next` by the vocabulary's spellings ("Ċ" is a line break); what it lacks is followed by <|im_end|>.
  ChainModel(const std::map<std::string, std::string>& next, const std::string& chat_template) {
    write("tokenizer.json", tokenizer());
    write("tokenizer_config.json", {{"eos_token", "<|im_end|>"}, {"chat_template", chat_template}});
    write("config.json", {{"model_type", "llama"},
                          {"architectures", {"LlamaForCausalLM"}},
                          {"hidden_size", kWidth},
                          {"intermediate_size", 64},
                          {"num_hidden_layers", 1},
                          {"num_attention_heads", kWidth / 32},
                          {"num_key_value_heads", kWidth / 32},
                          {"rms_norm_eps", 1e-5},
                          {"rope_theta", 10000.0},
                          {"vocab_size", ids_.size()},
                          {"max_position_embeddings", 256},
                          {"tie_word_embeddings", false},
                          {"hidden_act", "silu"},
                          {"eos_token_id", 1},
                          {"torch_dtype", "float32"}});
    write_weights(next);
  }

  const std::filesystem::path& path() const { return folder_.path(); }
  std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }
  TokenId id(const std::string& spelling) const { return ids_.at(spelling); }

 private:
  static constexpr std::size_t kWidth = 128;  // at least the vocabulary

  void write(const std::string& name, const Json& value) const { std::ofstream(folder_ / name) << value.dump(); }

  void write_weights(const std::map<std::string, std::string>& next) const {
    const std::size_t vocab = ids_.size();
    std::vector<float> embedding(vocab * kWidth), head(vocab * kWidth), ones(kWidth, 1.0f), square(kWidth * kWidth),
        mlp(64 * kWidth);
    for (const auto& [spelling, id] : ids_) {
      const auto t = static_cast<std::size_t>(id);
      embedding[t * kWidth + t] = 1;
      const auto found = next.find(spelling);
      head[static_cast<std::size_t>(found == next.end() ? 1 : ids_.at(found->second)) * kWidth + t] = 2;
    }
    const std::string layer = "model.layers.0.";
    std::vector<OutputTensor> tensors = {{"model.embed_tokens.weight", {vocab, kWidth}, {}, embedding},
                                         {"lm_head.weight", {vocab, kWidth}, {}, head},
                                         {"model.norm.weight", {kWidth}, {}, ones},
                                         {layer + "input_layernorm.weight", {kWidth}, {}, ones},
                                         {layer + "post_attention_layernorm.weight", {kWidth}, {}, ones},
                                         {layer + "mlp.gate_proj.weight", {64, kWidth}, {}, mlp},
                                         {layer + "mlp.up_proj.weight", {64, kWidth}, {}, mlp},
                                         {layer + "mlp.down_proj.weight", {kWidth, 64}, {}, mlp}};
    for (const char* name : {"q", "k", "v", "o"}) {
      tensors.push_back({layer + "self_attn." + name + "_proj.weight", {kWidth, kWidth}, {}, square});
    }
    write_safetensors(folder_ / "model.safetensors", tensors);
  }

  Json tokenizer() {
    const std::vector<std::string> added = {"<|im_start|>", "<|im_end|>", "<think>", "</think>"};
    Json tokens = Json::array(), vocab = Json::object();
    for (const std::string& text : added) {
      const auto id = static_cast<TokenId>(ids_.size());
      ids_[text] = id;
      tokens.push_back({{"id", id},
                        {"content", text},
                        {"single_word", false},
                        {"lstrip", false},
                        {"rstrip", false},
                        {"normalized", false},
                        {"special", id < 2}});
    }
    std::vector<std::string> pieces = {"Ġ", "Ċ", "th"};
    for (char c = '!'; c <= '~'; ++c) pieces.emplace_back(1, c);
    for (const std::string& piece : pieces) {
      const auto id = static_cast<TokenId>(ids_.size());
      ids_[piece] = id;
      vocab[piece] = id;
    }
    const Json byte_level = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}};
    return {{"added_tokens", tokens},      {"normalizer", nullptr},
            {"pre_tokenizer", byte_level}, {"post_processor", nullptr},
            {"decoder", byte_level},       {"model", {{"type", "BPE"}, {"vocab", vocab}, {"merges", {"t h"}}}}};
  }

  TemporaryFolder folder_;
  std::map<std::string, TokenId> ids_;
};

}  // namespace rung
