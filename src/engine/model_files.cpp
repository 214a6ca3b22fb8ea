// What a GGUF's metadata, or the JSON files of a folder, say beside the weights.
#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "base/mapped_file.h"
#include "engine/model_files.h"
#include "model/families/families.h"
#include "text/tokenizer_config.h"

namespace rung {

namespace fs = std::filesystem;

namespace {

// "<s>", or {"content": "<s>", …}
std::optional<std::string> token_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_object() && value.contains("content") && value["content"].is_string()) {
    return value["content"].get<std::string>();
  }
  return {};
}

}  // namespace

ModelFiles ModelFiles::open(const fs::path& path) {
  std::error_code ignored;
  ModelFiles files(path);
  if (fs::is_directory(path, ignored)) {
    for (const char* name :
         {"config.json", "model.safetensors", "model.safetensors.index.json", "tokenizer.json", "tokenizer.model"}) {
      if (fs::exists(path / name, ignored)) return files;
    }
    fail("{}: no model lies in this folder: neither config.json nor model.safetensors nor tokenizer.json",
         path.string());
  }
  if (!fs::exists(path, ignored)) fail("{}: no such file or folder", path.string());
  if (path.extension() == ".safetensors") fail("{}: name the folder that holds it and its config.json", path.string());
  files.content_ = Gguf::open(path);
  return files;
}

const TensorMap& ModelFiles::tensors() const {
  if (is_gguf()) return gguf().tensors();
  if (!weights_) weights_ = Safetensors::open(folder_);
  return weights_->tensors();
}

ModelPlan ModelFiles::plan() const {
  if (is_gguf()) return plan_from_gguf(gguf());
  const auto config = json("config.json");
  if (!config) fail("{}: no config.json in this folder", path().string());
  return plan_from_config(*config, (path() / "config.json").string());
}

std::optional<Json> ModelFiles::json(const char* name) const {
  if (is_gguf() || !folder_.has(name)) return {};
  const MappedFile file = folder_.open(name);
  Json value = parse_json(file.text(), file.path().string());
  if (!value.is_object()) fail("{}: found {}, expected a JSON object", file.path().string(), value.type_name());
  return value;
}

Tokenizer ModelFiles::tokenizer(std::optional<std::string_view> pre) const {
  if (is_gguf()) return Tokenizer::from_gguf(gguf(), pre);
  if (pre) fail("{}: --pre is for GGUF files; a folder's tokenizer.json says what it needs", path().string());
  return Tokenizer::from_folder(folder_);
}

std::map<std::string, std::string> ModelFiles::special_tokens(const Tokenizer& tokenizer) const {
  std::map<std::string, std::string> tokens;
  if (const auto id = tokenizer.bos()) tokens["bos_token"] = tokenizer.piece(*id);
  if (const auto id = tokenizer.eos()) tokens["eos_token"] = tokenizer.piece(*id);
  if (is_gguf()) return tokens;
  const Json config = read_tokenizer_config(folder_);
  for (const auto& [key, value] : config.items()) {
    if (!key.ends_with("_token")) continue;
    if (auto text = token_text(value)) tokens[key] = *text;
  }
  return tokens;
}

std::set<TokenId> ModelFiles::stop_ids() const {
  std::set<TokenId> ids;
  if (is_gguf()) {
    for (const char* key :
         {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"}) {
      if (const auto id = gguf().integer(key); id && *id >= 0 && *id <= 1'000'000'000) {
        ids.insert(static_cast<TokenId>(*id));
      }
    }
    return ids;
  }
  for (const char* name : {"generation_config.json", "config.json"}) {
    const auto config = json(name);
    if (!config) continue;
    const std::string where = (path() / name).string();
    const auto add = [&](const Json& object) {
      for (const TokenId id : token_ids_in(object, "eos_token_id", where)) ids.insert(id);
    };
    add(*config);
    if (const auto text = config->find("text_config"); text != config->end() && text->is_object()) add(*text);
  }
  return ids;
}

GenerationConfig ModelFiles::generation() const {
  if (is_gguf()) return generation_from_gguf(gguf());
  const auto config = json("generation_config.json");
  return config ? generation_from_json(*config, (path() / "generation_config.json").string()) : GenerationConfig{};
}

}  // namespace rung
