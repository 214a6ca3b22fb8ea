#include "base/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/mapped_file.h"

namespace rung {

namespace {

constexpr std::size_t kBufferBytes = 1 << 16;
constexpr std::size_t kMostAtOnce = std::size_t{4} << 20;  // then a signal is looked for

// Where a chain of links ends, whether something is there or not.
std::filesystem::path target_of(const std::filesystem::path& path) {
  constexpr int kMostLinks = 40;  // as many as Linux follows
  std::filesystem::path target = path;
  std::error_code none;
  for (int links = 0; std::filesystem::is_symlink(target, none); ++links) {
    if (links == kMostLinks) fail("{}: cannot write: {}", path.string(), std::strerror(ELOOP));
    target = target.parent_path() / std::filesystem::read_symlink(target, none);  // which may be absolute: then alone
  }
  return target;
}

}  // namespace

AtomicFile::AtomicFile(const std::filesystem::path& path) : path_(target_of(path)) {
  std::error_code none;
  const auto status = std::filesystem::status(path_, none);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    fail("{}: cannot write: not a regular file", path.string());
  }
  refuse_what_is_read();
  static std::atomic<unsigned> counter = 0;
  temporary_ = path_;
  temporary_ += fmt::format(".{}-{}.partial", ::getpid(), counter++);
  buffer_.reserve(kBufferBytes);  // before there is a file that only the destructor takes away
  // The permissions of what is replaced, from the first byte on, and exactly: open() takes the umask's away.
  struct stat former{};
  const bool replaces = ::stat(path_.c_str(), &former) == 0;
  const mode_t mode = replaces ? former.st_mode & 0777 : 0666;
  fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd_ < 0) fail_errno("create");
  if (replaces) ::fchmod(fd_, mode);
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
    SignalWatch::check();
    const ::ssize_t written = ::write(fd_, bytes.data(), std::min(bytes.size(), kMostAtOnce));
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
  SignalWatch::check();
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail_errno("rename");
  ::close(fd_);
  fd_ = -1;
  sync_folder(path_.has_parent_path() ? path_.parent_path() : ".");
}

void AtomicFile::fail_errno(std::string_view doing) const {
  fail("{}: cannot {}: {}", path_.string(), doing, std::strerror(errno));
}

void sync_folder(const std::filesystem::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

}  // namespace rung
