#include "files/safetensors.h"

#include <set>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "base/printable.h"
#include "files/safetensors_part.h"

namespace rung {

namespace {

constexpr const char* kShardIndexName = "model.safetensors.index.json";
constexpr const char* kSingleName = "model.safetensors";
constexpr std::size_t kMaxIndexBytes = 100'000'000;

// A name in the index is data from somewhere: it may name a file of the folder, and nothing else. (A link that lies in
// the folder is followed: the cache of the hub is made of such links, and it takes the person, or a tool that the
// person ran, to put one there.)
void require_plain_name(const std::string& name, const std::string& index_file) {
  const bool plain = !name.empty() && name != "." && name != ".." &&
                     name.find_first_of(std::string_view("/\\\0", 3)) == std::string::npos;
  if (!plain) fail("{}: names the shard '{}', expected a file of the same folder", index_file, printable(name));
}

}  // namespace

std::set<std::string> shards_in(std::string_view text, const std::string& where) {
  if (text.size() > kMaxIndexBytes) {
    fail("{}: has {} bytes, expected at most {}", where, text.size(), kMaxIndexBytes);
  }
  const Json json = parse_json(text, where);
  const auto map = json.find("weight_map");
  if (map == json.end() || !map->is_object()) fail("{}: has no object 'weight_map'", where);
  std::set<std::string> shards;
  for (const auto& [tensor, shard] : map->items()) {
    if (!shard.is_string()) {
      fail("{}: 'weight_map' gives {} for tensor '{}', expected the name of a file", where, shard.type_name(),
           printable(tensor));
    }
    const std::string& name = shard.get_ref<const std::string&>();
    require_plain_name(name, where);
    shards.insert(name);
  }
  if (shards.empty()) fail("{}: 'weight_map' is empty", where);
  return shards;
}

Safetensors Safetensors::open(const Folder& folder) {
  const std::filesystem::path& path = folder.path();
  Safetensors opened;
  if (!folder.exists()) {
    opened.add_file(MappedFile(path));
    return opened;
  }
  if (folder.has(kSingleName)) {  // before the index, as transformers does
    opened.add_file(folder.open(kSingleName));
    return opened;
  }
  if (!folder.has(kShardIndexName)) fail("{}: holds neither {} nor {}", path.string(), kSingleName, kShardIndexName);
  const MappedFile index = folder.open(kShardIndexName);
  for (const std::string& shard : shards_in(index.text(), index.path().string())) opened.add_file(folder.open(shard));
  return opened;
}

void Safetensors::add_file(MappedFile opened) {
  const std::string file = opened.path().string();
  files_.push_back(std::move(opened));
  SafetensorsPart part = parse_safetensors(files_.back().bytes(), file);
  metadata_.merge(part.metadata);
  const auto refuse_duplicate = [&](const std::string& name) {
    if (tensors_.count(name) + tensors_.others.count(name) != 0) {
      fail("{}: tensor '{}' is in an earlier shard too", file, printable(name));
    }
  };
  for (auto& [name, tensor] : part.tensors) {
    refuse_duplicate(name);
    tensors_.emplace(name, std::move(tensor));
  }
  for (auto& [name, tensor] : part.tensors.others) {
    refuse_duplicate(name);
    tensors_.others.emplace(name, std::move(tensor));
  }
}

}  // namespace rung
