// What a GGUF's metadata, or the JSON files of a folder, say beside the weights.
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "base/mapped_file.h"
#include "base/printable.h"
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

// models--OWNER--NAME of the hub's cache: refs/main holds the name of a commit, snapshots/COMMIT is the model's folder.
// Any other folder stands for itself.
fs::path snapshot_of(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::is_directory(folder / "snapshots", ignored)) return folder;
  const fs::path ref = folder / "refs" / "main";
  if (!fs::exists(ref, ignored)) {
    fail("{}: holds no refs/main, which names the snapshot: name a folder in snapshots/", folder.string());
  }
  std::string commit(MappedFile(ref).text());
  commit.erase(std::find_if(commit.begin(), commit.end(), [](unsigned char c) { return std::isspace(c) != 0; }),
               commit.end());
  const bool plain = !commit.empty() && commit.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!plain) fail("{}: holds '{}', expected the name of a commit", ref.string(), printable(commit));
  const fs::path snapshot = folder / "snapshots" / commit;
  if (!fs::is_directory(snapshot, ignored)) {
    fail("{}: names the snapshot {}, which is not there: a download that was not finished?", ref.string(), commit);
  }
  return snapshot;
}

// NAME-00002-of-00003.gguf: a part of a split model, and not its first.
bool is_later_part(std::string_view name) {
  constexpr std::string_view shape = "-00000-of-00000.gguf";
  if (name.size() < shape.size()) return false;
  name.remove_prefix(name.size() - shape.size());
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const bool fits = shape[i] == '0' ? name[i] >= '0' && name[i] <= '9' : name[i] == shape[i];
    if (!fits) return false;
  }
  return !name.starts_with("-00001");
}

// The models among a folder's files: a split one counts once, and mmproj files are parts of others.
std::vector<std::string> gguf_models_in(const Folder& folder) {
  std::vector<std::string> names = folder.names_in("");
  std::erase_if(names, [](const std::string& name) {
    return !name.ends_with(".gguf") || name.starts_with("mmproj") || is_later_part(name);
  });
  return names;
}

}  // namespace

ModelFiles ModelFiles::open(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return in_folder(snapshot_of(path));
  refuse_broken_link(path);
  if (!fs::exists(path, ignored)) fail("{}: no such file or folder", path.string());
  if (path.extension() == ".safetensors") fail("{}: name the folder that holds it and its config.json", path.string());
  return of_gguf(path.parent_path(), path.filename().string());
}

ModelFiles ModelFiles::of_gguf(const Folder& folder, const std::string& name) {
  ModelFiles files(folder.path() / name);
  files.content_ = Gguf::open(folder, name);
  return files;
}

ModelFiles ModelFiles::in_folder(const Folder& folder) {
  ModelFiles files(folder);
  if (folder.has("model.safetensors") || folder.has("model.safetensors.index.json")) return files;
  const std::vector<std::string> ggufs = gguf_models_in(folder);
  if (ggufs.size() == 1) return of_gguf(folder, ggufs.front());
  for (const char* name : {"config.json", "tokenizer.json", "tokenizer.model"}) {
    if (folder.has(name)) return files;
  }
  if (ggufs.empty()) {
    fail("{}: no model lies in this folder: neither config.json nor model.safetensors nor tokenizer.json nor a .gguf",
         folder.path().string());
  }
  fail("{}: holds {} models, expected the name of one: {}", folder.path().string(), ggufs.size(),
       fmt::join(ggufs, ", "));
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

LeftOut ModelFiles::left_out() const {
  const WeightLayout layout = plan().layout;
  LeftOut out;
  const auto count = [&](const std::string& name, std::size_t bytes) {
    for (const std::string& prefix : layout.left_out_prefixes) {
      if (!name.starts_with(prefix)) continue;
      ++out.tensors;
      out.bytes += bytes;
      out.beginnings.insert(prefix);
      return;
    }
  };
  for (const auto& [name, tensor] : tensors()) count(name, tensor.bytes.size());
  for (const auto& [name, tensor] : tensors().others) count(name, tensor.bytes.size());
  return out;
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
  const auto own = [&] {
    if (is_gguf()) return generation_from_gguf(gguf());
    const auto config = json("generation_config.json");
    return config ? generation_from_json(*config, (path() / "generation_config.json").string()) : GenerationConfig{};
  };
  if (beside_.parameters.empty()) return own();
  return generation_from_ollama(own(), parse_json(beside_.parameters, beside_.where), beside_.where);
}

}  // namespace rung
