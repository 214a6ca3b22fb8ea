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

// eos_token_id and its like: a number, or a list of numbers.
void add_ids(std::set<TokenId>& ids, const Json& object, const char* key, const std::string& where) {
  const auto it = object.find(key);
  if (it == object.end() || it->is_null()) return;
  for (const Json& id : it->is_array() ? *it : Json::array({*it})) {
    if (!id.is_number_integer() || id.get<double>() < 0 || id.get<double>() > 1e9) {
      fail("{}: '{}' holds {}, expected token ids", where, key, id.dump());
    }
    ids.insert(id.get<TokenId>());
  }
}

// "<s>", or {"content": "<s>", …}
std::optional<std::string> token_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_object() && value.contains("content") && value["content"].is_string()) {
    return value["content"].get<std::string>();
  }
  return {};
}

std::optional<double> number_in(const Json& object, const char* key, const std::string& where) {
  const auto it = object.find(key);
  if (it == object.end() || it->is_null()) return {};
  if (!it->is_number()) fail("{}: '{}' is {}, expected a number", where, key, it->dump());
  return it->get<double>();
}

std::size_t top_k_of(double number) { return number > 0 ? static_cast<std::size_t>(std::min(number, 1e9)) : 0; }

Sampling sampling_from_json(const Json& g, const std::string& where) {
  Sampling s;
  const auto do_sample = g.find("do_sample");
  if (do_sample == g.end() || !do_sample->is_boolean()) return s;  // it says nothing about sampling
  if (!do_sample->get<bool>()) {
    s.temperature = 0;
    return s;
  }
  // What transformers takes where do_sample is on and a value is absent.
  s.temperature = static_cast<float>(number_in(g, "temperature", where).value_or(1.0));
  s.top_k = top_k_of(number_in(g, "top_k", where).value_or(50));
  s.top_p = static_cast<float>(number_in(g, "top_p", where).value_or(1.0));
  s.min_p = static_cast<float>(number_in(g, "min_p", where).value_or(0.0));
  s.repeat_penalty = static_cast<float>(number_in(g, "repetition_penalty", where).value_or(1.0));
  return s;
}

Sampling sampling_from_gguf(const Gguf& gguf) {
  Sampling s;
  if (const auto v = gguf.number("general.sampling.temp")) s.temperature = static_cast<float>(*v);
  if (const auto v = gguf.number("general.sampling.top_k")) s.top_k = top_k_of(*v);
  if (const auto v = gguf.number("general.sampling.top_p")) s.top_p = static_cast<float>(*v);
  if (const auto v = gguf.number("general.sampling.min_p")) s.min_p = static_cast<float>(*v);
  if (const auto v = gguf.number("general.sampling.penalty_repeat")) s.repeat_penalty = static_cast<float>(*v);
  return s;
}

}  // namespace

ModelFiles ModelFiles::open(const fs::path& path) {
  std::error_code ignored;
  ModelFiles files(path);
  if (fs::is_directory(path, ignored)) {
    for (const char* name : {"config.json", "model.safetensors", "model.safetensors.index.json", "tokenizer.json"}) {
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
    add_ids(ids, *config, "eos_token_id", where);
    if (const auto text = config->find("text_config"); text != config->end() && text->is_object()) {
      add_ids(ids, *text, "eos_token_id", where);
    }
  }
  return ids;
}

Sampling ModelFiles::sampling() const {
  const std::string where =
      is_gguf() ? gguf().file() + ": general.sampling" : (path() / "generation_config.json").string();
  Sampling s;
  if (is_gguf()) {
    s = sampling_from_gguf(gguf());
  } else if (const auto config = json("generation_config.json")) {
    s = sampling_from_json(*config, where);
  }
  try {
    check(s);
  } catch (const Error& e) {
    fail("{}: {}", where, e.what());
  }
  return s;
}

}  // namespace rung
