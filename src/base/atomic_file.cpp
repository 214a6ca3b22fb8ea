#include "base/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/mapped_file.h"

namespace rung {

namespace {

constexpr std::size_t kBufferBytes = 1 << 16;

}  // namespace

AtomicFile::AtomicFile(const std::filesystem::path& path) : path_(path) {
  std::error_code none;
  // The target of a link is replaced, not the link.
  if (std::filesystem::is_symlink(path, none)) path_ = std::filesystem::weakly_canonical(path, none);
  const auto status = std::filesystem::status(path_, none);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    fail("{}: cannot write: not a regular file", path.string());
  }
  refuse_what_is_read();
  static std::atomic<unsigned> counter = 0;
  temporary_ = path_;
  temporary_ += fmt::format(".{}-{}.partial", ::getpid(), counter++);
  fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd_ < 0) fail_errno("create");
  buffer_.reserve(kBufferBytes);
}

AtomicFile::~AtomicFile() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  if (buffer_.size() + bytes.size() > kBufferBytes) flush();
  if (bytes.size() < kBufferBytes) {
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
    return;
  }
  write_through(bytes);
}

void AtomicFile::flush() {
  write_through(buffer_);
  buffer_.clear();
}

void AtomicFile::write_through(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ::ssize_t written = ::write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_errno("write");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void AtomicFile::refuse_what_is_read() const {
  if (MappedFile::is_mapped(path_)) fail("{}: is what is read: choose another file to write", path_.string());
}

void AtomicFile::commit() {
  refuse_what_is_read();  // once more: it may have been opened since
  flush();
  if (::fsync(fd_) != 0) fail_errno("write");
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail_errno("rename");
  ::close(fd_);
  fd_ = -1;
  // The new name is an entry of the folder, which has to reach the disk too. Some file systems refuse to sync a folder:
  // not worth an error.
  const std::filesystem::path folder = path_.has_parent_path() ? path_.parent_path() : ".";
  const int folder_fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder_fd < 0) return;
  ::fsync(folder_fd);
  ::close(folder_fd);
}

void AtomicFile::fail_errno(std::string_view doing) const {
  fail("{}: cannot {}: {}", path_.string(), doing, std::strerror(errno));
}

}  // namespace rung
