#include "files/hub/pull.h"

#include <algorithm>
#include <deque>
#include <list>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/printable.h"
#include "base/signals.h"
#include "files/hub/blob_download.h"
#include "files/safetensors.h"

namespace rung {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kAtOnce = 4;
constexpr std::size_t kMostIndexBytes = std::size_t{100} << 20;

// Is the blob here, as a file or as a link to a payload that repositories share?
bool is_here(const fs::path& blob, const HubFile& file) {
  std::error_code error;
  return fs::file_size(blob, error) == file.size && !error;
}

std::uint64_t begun(const fs::path& blob, const HubFile& file) {
  std::error_code error;
  const std::uint64_t size = fs::file_size(fs::path(blob) += ".incomplete", error);
  return error || size > file.size ? 0 : size;
}

void require_space(const fs::path& folder, std::uint64_t needed, const HubName& name) {
  std::error_code error;
  const fs::space_info space = fs::space(folder, error);
  if (error || space.available >= needed) return;
  const auto gigabytes = [](std::uint64_t bytes) { return static_cast<double>(bytes) / 1e9; };
  fail("{}: {:.2f} GB free, {:.2f} GB needed to bring {}", folder.string(), gigabytes(space.available),
       gigabytes(needed), name.text());
}

// Blobs that are missing → in the cache, a few at once.
class Bringer {
 public:
  Bringer(Hub& hub, const HubCache& cache, const HubRepository& repository, PullListener& listener)
      : hub_(hub), cache_(cache), repository_(repository), listener_(listener) {}

  void bring(std::deque<HubFile> missing, std::uint64_t here) {
    here_ = here;
    while (!missing.empty() || !under_way_.empty()) {
      start_some(missing);
      const bool is_checking = std::any_of(under_way_.begin(), under_way_.end(),
                                           [](const BlobDownload& d) { return d.here() == d.file().size; });
      hub_.http().step(is_checking ? 1 : 50);
      SignalWatch::check();
      go_on();
    }
  }

 private:
  void start_some(std::deque<HubFile>& missing) {
    for (std::size_t i = 0, count = missing.size(); i < count && under_way_.size() < kAtOnce; ++i) {
      HubFile file = std::move(missing.front());
      missing.pop_front();
      const fs::path blob = cache_.blob(repository_.name, file.etag);
      FileLock lock = FileLock::attempt(cache_.lock(repository_.name, file.etag));
      if (!lock.is_held()) {
        if (waited_for_.insert(file.etag).second) listener_.waits(file.name + ": another program is bringing it");
        missing.push_back(std::move(file));
      } else if (is_here(blob, file)) {  // it was brought while we waited for the lock
        here_ += file.size;
        listener_.file(file);
      } else {
        under_way_.emplace_back(hub_, repository_, std::move(file), blob, std::move(lock));
      }
    }
  }

  void go_on() {
    std::uint64_t now = here_;
    for (auto it = under_way_.begin(); it != under_way_.end();) {
      const bool done = it->go_on() == BlobDownload::State::done;
      if (const std::string reason = it->take_reason(); !reason.empty()) listener_.waits(reason);
      now += it->here();
      if (done) {
        here_ += it->file().size;
        listener_.file(it->file());
      }
      it = done ? under_way_.erase(it) : std::next(it);
    }
    listener_.at(now);
  }

  Hub& hub_;
  const HubCache& cache_;
  const HubRepository& repository_;
  PullListener& listener_;
  std::list<BlobDownload> under_way_;
  std::set<std::string> waited_for_;
  std::uint64_t here_ = 0;
};

std::vector<HubFile> safetensors_of(Hub& hub, const HubRepository& repository) {
  std::vector<HubFile> files;
  for (const HubFile& file : repository.files) {
    if (is_beside_weights(file.name)) files.push_back(file);
  }
  if (const HubFile* whole = repository.find(kWeightsName)) {  // before the index, as transformers does
    files.push_back(*whole);
    return files;
  }
  const HubFile& index = *repository.find(kIndexName);
  const std::string where = fmt::format("{}/{}", repository.name.repository, kIndexName);
  if (index.size > kMostIndexBytes) fail("{}: has {} bytes, expected at most {}", where, index.size, kMostIndexBytes);
  files.push_back(index);
  const std::string text = hub.read(repository, kIndexName, 0, kMostIndexBytes);
  for (const std::string& shard : shards_in(text, where)) {
    const HubFile* file = repository.find(shard);
    if (file == nullptr) fail("{}: names {}, which the repository does not hold", where, printable(shard));
    files.push_back(*file);
  }
  return files;
}

}  // namespace

std::vector<HubFile> files_of_model(Hub& hub, const HubRepository& repository) {
  const HubName& name = repository.name;
  std::vector<HubFile> files;
  if (name.quantization.empty() && has_safetensors(repository)) {
    files = safetensors_of(hub, repository);
  } else {
    const std::vector<GgufModel> models = gguf_models(repository.files);
    if (models.empty()) {
      fail("{}: holds no weights that Rung reads: {}", name.repository,
           name.quantization.empty() ? "neither model.safetensors nor a .gguf" : "no .gguf");
    }
    files = choose(models, name.quantization, name.repository).files;
  }
  for (HubFile& file : files) {
    if (!is_file_name(file.name)) fail("{}: holds a file '{}', which cannot be", name.repository, printable(file.name));
    if (file.etag.empty()) file = hub.described(repository, file.name);
  }
  return files;
}

PulledModel pull(Hub& hub, const HubCache& cache, const HubName& name, PullListener& listener) {
  require_digests();
  const SignalWatch watch;
  PulledModel pulled{.repository = hub.repository(name), .files = {}, .path = {}};
  pulled.files = files_of_model(hub, pulled.repository);

  std::deque<HubFile> missing;
  std::set<std::string> seen;  // two names may have one content
  std::uint64_t total = 0, here = 0, begun_bytes = 0;
  for (const HubFile& file : pulled.files) {
    if (!seen.insert(file.etag).second) continue;
    const fs::path blob = cache.blob(name, file.etag);
    total += file.size;
    if (is_here(blob, file)) {
      here += file.size;
    } else {
      begun_bytes += begun(blob, file);
      missing.push_back(file);
    }
  }
  pulled.brought = total - here - begun_bytes;
  listener.begin(seen.size(), total, here + begun_bytes);
  if (!missing.empty()) {
    const fs::path blobs = cache.blob(name, "").parent_path();
    std::error_code error;
    fs::create_directories(blobs, error);
    if (!error) fs::create_directories(cache.repository(name) / "snapshots", error);
    if (error) fail("{}: cannot be made: {}", blobs.string(), error.message());
    require_space(blobs, pulled.brought, name);
    Bringer(hub, cache, pulled.repository, listener).bring(std::move(missing), here);
  }
  cache.publish(pulled.repository, pulled.files);
  const auto snapshot = cache.find({.repository = name.repository, .revision = pulled.repository.commit});
  if (!snapshot) fail("{}: vanished from {} while it was brought", name.text(), cache.folder().string());
  pulled.path = HubCache::model_in(*snapshot, name);
  return pulled;
}

}  // namespace rung
