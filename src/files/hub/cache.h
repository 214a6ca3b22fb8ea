// The hub's cache on the disk, as huggingface_hub keeps it: who brought a model does not matter to who runs it.
//
//   HF_HUB_CACHE/
//     models--owner--name/
//       blobs/ETAG                     the bytes: a file, or (huggingface_hub 2) a link to ../../blobs/AB/ABCD…
//       snapshots/COMMIT/config.json   a link to ../../blobs/ETAG
//       refs/main                      COMMIT
//     .locks/models--owner--name/ETAG.lock   who holds it (flock) brings that blob
//     blobs/AB/ABCD…                   payloads that repositories share; ABCD….refs names the blobs that lead there
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "files/hub/choice.h"
#include "files/hub/name.h"

namespace rung {

// A snapshot: the files of one commit that are here.
struct HubSnapshot {
  std::string commit;
  std::vector<std::string> refs;  // "main", or what else was asked for
  std::filesystem::path folder;
  std::vector<HubFile> files;  // in the order of their names; what leads nowhere is not among them
};

struct CachedRepository {
  std::string name;  // "owner/name"
  std::vector<HubSnapshot> snapshots;
  std::uint64_t bytes = 0;  // of all its blobs, each counted once
};

// flock on a file of its own, as huggingface_hub's filelock does: whoever waits gets it when the other one ends,
// however he ends.
class FileLock {
 public:
  FileLock() = default;
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();
  // Takes it if nobody has it; makes the file and its folders. Throws Error: it cannot be made.
  static FileLock attempt(const std::filesystem::path& path);
  bool is_held() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

class HubCache {
 public:
  explicit HubCache(std::filesystem::path folder) : folder_(std::move(folder)) {}

  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path repository(const HubName& name) const { return folder_ / name.folder(); }
  std::filesystem::path blob(const HubName& name, const std::string& etag) const;
  std::filesystem::path lock(const HubName& name, const std::string& what) const;

  // What the revision of a name is here; nullopt: nothing.
  std::optional<HubSnapshot> find(const HubName& name) const;
  // What -m takes of it: the folder of safetensors, or the .gguf that is meant (the first part of a split one). Throws
  // Error: the snapshot holds no weights; UnclearChoice.
  static std::filesystem::path model_in(const HubSnapshot& snapshot, const HubName& name);
  // Every repository of models of which there is something, by name.
  std::vector<CachedRepository> list() const;

  // Makes the files of a commit visible, all at once, then the revision's name. Their blobs are there.
  // Throws Error: what cannot be written.
  std::filesystem::path publish(const HubRepository& repository, const std::vector<HubFile>& files) const;
  // Takes a repository away: the names first, so that whoever looks finds all or nothing. A payload that no other
  // repository leads to goes too. → the bytes that became free. Throws Error: there is none; somebody brings it now.
  std::uint64_t remove(const HubName& name) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace rung
