// A path → what lies where in a model's files: tensors, tokenizer, templates, defaults.  Milestones M1 to M3.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/json_fwd.h"
#include "engine/generation_config.h"
#include "files/folder.h"
#include "files/gguf.h"
#include "files/safetensors.h"
#include "model/model.h"
#include "text/tokenizer.h"

namespace rung {

// What a file holds beside the text model: the tensors of its parts for pictures.
struct LeftOut {
  std::size_t tensors = 0;
  std::size_t bytes = 0;
  std::set<std::string> beginnings = {};  // of their names: "vision_tower.", "v."
};

// What another program keeps beside a model's file: Ollama does so in its store.
struct BesideModel {
  std::string where = {};       // for errors
  std::string system = {};      // a message that sets the scene
  std::string parameters = {};  // JSON in Ollama's names: {"temperature": 0, "stop": […], …}; empty: none
};

// A .gguf file, a folder as it lies on the hub, or what is compiled in or lies in memory. Opening reads headers only.
class ModelFiles {
 public:
  // A folder that holds one .gguf and no other weights is that file; models--OWNER--NAME, as the hub's cache has it, is
  // the snapshot that its refs/main names. Throws Error.
  static ModelFiles open(const std::filesystem::path& path);
  // The same of a folder whose files lie in memory, as long as this and what is made of it. Throws Error.
  static ModelFiles in_memory(const std::filesystem::path& name, std::span<const CompiledFile> files) {
    return in_folder(Folder(name, files));
  }
  // the model that is compiled in; throws Error where there is none
  static ModelFiles pebble();

  const std::filesystem::path& path() const { return folder_.path(); }
  const Folder& folder() const { return folder_; }
  bool is_gguf() const { return std::holds_alternative<Gguf>(content_); }
  const Gguf& gguf() const { return std::get<Gguf>(content_); }
  const TensorMap& tensors() const;  // of a folder: opened at the first call
  ModelPlan plan() const;
  LeftOut left_out() const;

  Tokenizer tokenizer(std::optional<std::string_view> pre = {}) const;
  // The sources of the model's chat templates, by their names: "default", and perhaps others.
  std::map<std::string, std::string> chat_templates() const;
  // The one to take, if there is one: "default", or "tool_use" where there are tools.
  std::optional<std::string> chat_template(bool tools = false) const;
  // bos_token, eos_token, unk_token, …: what a template may print.
  std::map<std::string, std::string> special_tokens(const Tokenizer& tokenizer) const;
  // The ends of an answer that the files name: eos of generation_config and config; a GGUF's eos, eot and eom.
  // (answer_ends.h has all of them.)
  std::set<TokenId> stop_ids() const;
  // What generation_config.json (or a GGUF's general.sampling.*) says, and ours where it is silent.
  GenerationConfig generation() const;
  // The system message that comes with the model; empty: none.
  const std::string& system() const { return beside_.system; }
  void set_beside(BesideModel beside) { beside_ = std::move(beside); }

 private:
  explicit ModelFiles(Folder folder) : folder_(std::move(folder)) {}
  static ModelFiles in_folder(const Folder& folder);
  static ModelFiles of_gguf(const Folder& folder, const std::string& name);
  std::optional<Json> json(const char* name) const;  // of a folder; absent: nullopt

  Folder folder_;  // of a GGUF: its path
  std::variant<std::monostate, Gguf> content_;
  BesideModel beside_;
  mutable std::optional<Safetensors> weights_;  // of a folder, once they were needed
};

}  // namespace rung
