// A safetensors file, or a folder of them → a TensorMap.  Milestone M1.
// Format: https://huggingface.co/docs/safetensors (8 bytes header length, little endian; a JSON header; the bytes).
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/mapped_file.h"
#include "files/folder.h"
#include "files/tensor_map.h"

namespace rung {

// The files that the text of a model.safetensors.index.json names; `where` names it in errors. Which of them holds a
// tensor they say themselves: indexes in the wild list tensors that were left away when the weights were saved, or were
// moved to another shard. Throws Error, also where a name would lead out of the folder.
std::set<std::string> shards_in(std::string_view text, const std::string& where);

class Safetensors {
 public:
  // A .safetensors file, or a folder: its model.safetensors, or else model.safetensors.index.json and the shards that
  // this names, whatever it says about which tensor is in which. Throws Error on anything that is not whole.
  static Safetensors open(const Folder& path);

  const TensorMap& tensors() const { return tensors_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

 private:
  void add_file(MappedFile opened);

  std::vector<MappedFile> files_;
  TensorMap tensors_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace rung
