// Ollama's store of models, as it lies on the disk: what it has pulled runs here as well.
//
//   manifests/registry.ollama.ai/library/gemma3/1b   JSON: layers, each with a mediaType and a digest
//   blobs/sha256-ABCD…                               the model (a GGUF), template, system text, parameters, …
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace rung {

struct OllamaModel {
  std::filesystem::path model;  // the GGUF
  std::filesystem::path manifest;
  std::string system = {};                 // a message that sets the scene
  std::string parameters = {};             // JSON: {"temperature": 0, "stop": […], …}
  std::vector<std::string> left_out = {};  // layers that Rung does not run: "projector", "adapter"
};

class OllamaStore {
 public:
  explicit OllamaStore(std::vector<std::filesystem::path> folders) : folders_(std::move(folders)) {}

  // "gemma3:1b", "user/name", "host/user/name:tag": what is not said is registry.ollama.ai, library, latest. Throws
  // Error: no such model, a manifest or a layer that cannot be read.
  OllamaModel find(std::string_view name) const;

  struct Listed {
    std::string name;  // "gemma3:1b"
    std::uint64_t bytes = 0;
    std::filesystem::path folder;
  };
  // By name. A folder that cannot be read is left out.
  std::vector<Listed> list() const;

 private:
  std::vector<std::filesystem::path> folders_;
};

}  // namespace rung
