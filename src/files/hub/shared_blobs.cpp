#include "files/hub/shared_blobs.h"

#include <fstream>
#include <iterator>
#include <string>

#include "files/hub/cache.h"

namespace rung {

namespace fs = std::filesystem;

namespace {

bool is_hash(std::string_view text) { return text.size() == 64 && is_etag(text); }

bool is_plain_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(fs::symlink_status(path, ignored));
}

std::optional<std::string> text_of(const fs::path& path) {
  if (!is_plain_file(path)) return std::nullopt;
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  return file.bad() || !file.is_open() ? std::nullopt : std::optional(std::move(text));
}

bool is_store(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_directory(fs::symlink_status(folder, ignored)) &&
         text_of(folder / ".huggingface-shared-blobs") == "1\n";
}

fs::path normal(const fs::path& path) {
  std::error_code ignored;
  return fs::absolute(path, ignored).lexically_normal();
}

// "models--owner--name/blobs/ETAG"
bool is_reference(const fs::path& path) {
  std::vector<std::string> parts;
  for (const fs::path& part : path) parts.push_back(part.string());
  if (parts.size() != 3 || parts[1] != "blobs" || parts[2].empty() || parts[2] == "..") return false;
  for (const char* kind : {"models--", "datasets--", "spaces--", "kernels--"}) {
    if (parts[0].starts_with(kind) && parts[0] != kind) return true;
  }
  return false;
}

}  // namespace

std::optional<fs::path> shared_payload(const fs::path& blob, const fs::path& cache) {
  std::error_code error;
  const fs::path target = fs::read_symlink(blob, error);
  if (error) return std::nullopt;
  const fs::path path = normal(blob.parent_path() / target);
  const std::string name = path.filename().string();
  if (!is_hash(name) || path != normal(cache / "blobs" / name.substr(0, 2) / name)) return std::nullopt;
  return path;
}

std::uint64_t sweep_payload(const fs::path& payload, const fs::path& cache) try {
  std::error_code error;
  if (!is_store(cache / "blobs") || !is_plain_file(payload)) return 0;
  const FileLock lock = FileLock::attempt(fs::path(payload) += ".lock");
  if (!lock.is_held()) return 0;  // somebody makes a link to it
  const fs::path list = fs::path(payload) += ".refs";
  const auto text = text_of(list);
  if (!text) return 0;
  for (std::size_t begin = 0; begin < text->size();) {
    const std::size_t end = std::min(text->find('\n', begin), text->size());
    const fs::path blob = text->substr(begin, end - begin);
    if (is_reference(blob) && shared_payload(cache / blob, cache) == payload) return 0;
    begin = end + 1;
  }
  const std::uint64_t bytes = fs::file_size(payload, error);
  if (error || !fs::remove(payload, error)) return 0;
  fs::remove(list, error);
  return bytes;
} catch (const Error&) {  // a store in which we may make no lock
  return 0;
}

}  // namespace rung
