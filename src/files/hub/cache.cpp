#include "files/hub/cache.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <thread>
#include <utility>

#include "base/atomic_file.h"
#include "base/signals.h"
#include "files/hub/shared_blobs.h"

namespace rung {

namespace fs = std::filesystem;

namespace {

void make_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) fail("{}: cannot be made: {}", path.string(), error.message());
}

void rename_or_fail(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) fail("{}: cannot be written: {}", to.string(), error.message());
}

// refs/main → the commit in it; empty: none.
std::string commit_in(const fs::path& ref) {
  std::ifstream file(ref, std::ios::binary);
  std::string text(64, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  return is_commit(text) ? text : "";
}

std::string etag_of(const fs::path& file) {
  std::error_code error;
  const std::string name = fs::read_symlink(file, error).filename().string();
  return !error && is_etag(name) ? name : "";
}

std::vector<HubFile> files_in(const fs::path& snapshot) {
  std::vector<HubFile> files;
  std::error_code error;
  for (fs::recursive_directory_iterator it(snapshot, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    const std::uint64_t size = fs::file_size(it->path(), ignored);  // of what a link leads to
    if (ignored || !fs::is_regular_file(it->path(), ignored)) continue;
    files.push_back({it->path().lexically_relative(snapshot).generic_string(), size, etag_of(it->path())});
  }
  std::sort(files.begin(), files.end(), [](const HubFile& a, const HubFile& b) { return a.name < b.name; });
  return files;
}

// Every ref below refs/, by the commit that it names.
std::multimap<std::string, std::string> refs_in(const fs::path& repository) {
  std::multimap<std::string, std::string> refs;
  std::error_code error;
  const fs::path folder = repository / "refs";
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string commit = commit_in(it->path());
    if (!commit.empty()) refs.emplace(commit, it->path().lexically_relative(folder).generic_string());
  }
  return refs;
}

// In which order links appear where a reader could look on: what makes a folder a model comes last.
bool comes_last(const std::string& name) {
  return name == kWeightsName || name == kIndexName || (name.ends_with(".gguf") && name.find("-of-") == name.npos) ||
         name.find("-00001-of-") != name.npos;
}

// snapshot/a/b → ../../../blobs/ETAG. What leads somewhere already stays.
void link_file(const fs::path& snapshot, const HubFile& file) {
  const fs::path path = snapshot / file.name;
  std::error_code error;
  if (fs::exists(path, error)) return;
  make_folder(path.parent_path());
  fs::path target = "../../blobs/" + file.etag;
  for (const char c : file.name) {
    if (c == '/') target = "../" / target;
  }
  fs::remove(path, error);  // a link to what is not there
  error.clear();
  fs::create_symlink(target, path, error);
  if (error) fail("{}: cannot be made a link: {}", path.string(), error.message());
}

FileLock take(const fs::path& path) {
  for (;;) {
    FileLock lock = FileLock::attempt(path);
    if (lock.is_held()) return lock;
    SignalWatch::check();
    std::this_thread::sleep_for(std::chrono::milliseconds(10));  // links and a rename are under way
  }
}

// refs/REVISION, in one step; its beginnings lie where nobody looks for names.
void write_ref(const fs::path& repository, const std::string& revision, const std::string& commit) {
  const fs::path ref = repository / "refs" / revision, made = repository / ".ref";
  if (revision == commit || commit_in(ref) == commit) return;
  make_folder(ref.parent_path());
  AtomicFile file(made);
  file.write(commit);
  file.commit();
  rename_or_fail(made, ref);
  sync_folder(ref.parent_path());
}

}  // namespace

FileLock::FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

FileLock::~FileLock() {
  if (fd_ >= 0) ::close(fd_);  // which lets go of it
}

FileLock FileLock::attempt(const fs::path& path) {
  make_folder(path.parent_path());
  for (;;) {
    FileLock lock;
    lock.fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0664);
    if (lock.fd_ < 0) fail("{}: cannot be made: {}", path.string(), std::strerror(errno));
    if (::flock(lock.fd_, LOCK_EX | LOCK_NB) != 0) {
      if (errno == EINTR) continue;
      if (errno != EWOULDBLOCK) fail("{}: cannot be locked: {}", path.string(), std::strerror(errno));
      return {};
    }
    // somebody who took it away meanwhile would not know of ours
    struct stat here{}, there{};
    if (::fstat(lock.fd_, &here) == 0 && ::stat(path.c_str(), &there) == 0 && here.st_ino == there.st_ino) return lock;
  }
}

fs::path HubCache::blob(const HubName& name, const std::string& etag) const {
  return repository(name) / "blobs" / etag;
}

fs::path HubCache::lock(const HubName& name, const std::string& what) const {
  return folder_ / ".locks" / name.folder() / (what + ".lock");
}

std::optional<HubSnapshot> HubCache::find(const HubName& name) const {
  const fs::path base = repository(name);
  HubSnapshot snapshot;
  snapshot.commit = is_commit(name.revision) ? name.revision : commit_in(base / "refs" / name.revision);
  snapshot.folder = base / "snapshots" / snapshot.commit;
  std::error_code ignored;
  if (snapshot.commit.empty() || !fs::is_directory(snapshot.folder, ignored)) return std::nullopt;
  snapshot.files = files_in(snapshot.folder);
  return snapshot;
}

fs::path HubCache::model_in(const HubSnapshot& snapshot, const HubName& name) {
  const HubRepository here{.name = name, .commit = snapshot.commit, .files = snapshot.files};
  if (name.quantization.empty() && has_safetensors(here)) return snapshot.folder;
  const std::vector<GgufModel> models = gguf_models(snapshot.files);
  if (models.empty())
    fail("{}: of it there are no weights here: bring them with: rung pull {}", name.text(), name.text());
  return snapshot.folder / choose(models, name.quantization, name.repository).files.front().name;
}

std::vector<CachedRepository> HubCache::list() const {
  std::vector<CachedRepository> all;
  std::error_code error;
  for (fs::directory_iterator it(folder_, error), end; !error && it != end; it.increment(error)) {
    constexpr std::string_view kind = "models--";
    std::string name = it->path().filename().string();
    const std::size_t cut = name.find("--", kind.size());
    if (!name.starts_with(kind) || cut == name.npos) continue;
    CachedRepository repository;
    repository.name = name.substr(kind.size(), cut - kind.size()) + "/" + name.substr(cut + 2);
    if (!is_repository(repository.name)) continue;
    const auto refs = refs_in(it->path());
    std::map<std::string, std::uint64_t> blobs;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(it->path() / "snapshots", none)) {
      HubSnapshot snapshot{.commit = entry.path().filename().string(), .refs = {}, .folder = entry.path(), .files = {}};
      if (!is_commit(snapshot.commit)) continue;
      snapshot.files = files_in(snapshot.folder);
      for (auto [ref, last] = refs.equal_range(snapshot.commit); ref != last; ++ref)
        snapshot.refs.push_back(ref->second);
      for (const HubFile& f : snapshot.files) blobs[f.etag.empty() ? f.name : f.etag] = f.size;
      if (!snapshot.files.empty()) repository.snapshots.push_back(std::move(snapshot));
    }
    for (const auto& [blob, size] : blobs) repository.bytes += size;
    if (!repository.snapshots.empty()) all.push_back(std::move(repository));
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return all;
}

fs::path HubCache::publish(const HubRepository& repository, const std::vector<HubFile>& files) const {
  const HubName& name = repository.name;
  const fs::path base = this->repository(name), snapshot = base / "snapshots" / repository.commit;
  std::error_code ignored;
  const auto is_there = [&](const HubFile& f) { return fs::exists(snapshot / f.name, ignored); };
  const bool all_there = std::all_of(files.begin(), files.end(), is_there);
  if (all_there &&
      (name.revision == repository.commit || commit_in(base / "refs" / name.revision) == repository.commit)) {
    return snapshot;  // nothing is written: the cache may be read-only
  }
  const FileLock lock = take(this->lock(name, "snapshots"));
  sync_folder(base / "blobs");
  make_folder(base / "snapshots");
  if (fs::is_directory(snapshot, ignored)) {
    for (const bool last : {false, true}) {
      for (const HubFile& file : files) {
        if (comes_last(file.name) == last) link_file(snapshot, file);
      }
    }
  } else {
    const fs::path made = base / ".snapshot";  // as deep in the repository's folder, where nobody takes it for one
    fs::remove_all(made, ignored);
    fs::create_directory(base / "snapshots", ignored);
    // links are relative to where they will lie: made where nobody looks, they lead nowhere yet
    for (const HubFile& file : files) link_file(made, file);
    rename_or_fail(made, snapshot);
  }
  sync_folder(base / "snapshots");
  write_ref(base, name.revision, repository.commit);
  return snapshot;
}

std::uint64_t HubCache::remove(const HubName& name) const {
  const fs::path base = repository(name), aside = folder_ / (".removing-" + name.folder());
  std::error_code ignored;
  if (!fs::exists(fs::symlink_status(base, ignored))) {
    fail("{}: is not in the hub's cache, {}", name.repository, folder_.string());
  }
  std::vector<FileLock> locks;
  const fs::path lock_folder = folder_ / ".locks" / name.folder();
  for (const auto& entry : fs::directory_iterator(lock_folder, ignored)) {
    if (entry.path().extension() != ".lock") continue;
    locks.push_back(FileLock::attempt(entry.path()));
    if (!locks.back().is_held()) fail("{}: is being brought right now, by another program", name.repository);
  }
  std::vector<fs::path> payloads;
  std::uint64_t freed = 0;
  for (const auto& entry : fs::directory_iterator(base / "blobs", ignored)) {
    if (const auto payload = shared_payload(entry.path(), folder_)) {
      payloads.push_back(*payload);
    } else if (entry.is_regular_file(ignored)) {
      freed += entry.file_size(ignored);
    }
  }
  fs::remove_all(aside, ignored);
  std::error_code error;
  fs::rename(base, aside, error);
  if (!error) fs::remove_all(aside, error);
  if (error) fail("{}: cannot be removed: {}", base.string(), error.message());
  for (const fs::path& payload : payloads) freed += sweep_payload(payload, folder_);
  fs::remove_all(lock_folder, ignored);
  return freed;
}

}  // namespace rung
