#include "base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <map>
#include <mutex>
#include <utility>

#include "base/error.h"

namespace rung {

namespace {

class Descriptor {
 public:
  // O_NONBLOCK: opening a named pipe must not wait for a writer.
  explicit Descriptor(const std::filesystem::path& path)
      : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    if (fd_ >= 0) return;
    const int error = errno;
    refuse_broken_link(path);
    fail("{}: {}", path.string(), std::strerror(error));
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { ::close(fd_); }
  int get() const { return fd_; }

 private:
  int fd_;
};

// Every mapped file, by its first address. To forget pages of other memory would be to lose what is in them.
struct Mapping {
  std::uintptr_t end;
  dev_t device;  // and inode: what a file is, whatever its names
  ino_t inode;
};
struct Mapped {
  std::mutex mutex;
  std::map<std::uintptr_t, Mapping> files;
};

Mapped& mapped() {
  static Mapped all;
  return all;
}

}  // namespace

void refuse_broken_link(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::is_symlink(path, ignored) || std::filesystem::exists(path, ignored)) return;
  fail("{}: a link to {}, which is not there: a download that was not finished?", path.string(),
       std::filesystem::read_symlink(path, ignored).string());
}

MappedFile::MappedFile(const std::filesystem::path& path) : path_(path) {
  const Descriptor descriptor(path);
  struct stat status{};
  if (::fstat(descriptor.get(), &status) != 0) fail("{}: {}", path.string(), std::strerror(errno));
  if (!S_ISREG(status.st_mode)) fail("{}: not a regular file", path.string());
  size_ = static_cast<std::size_t>(status.st_size);
  if (size_ == 0) return;  // mmap refuses a length of 0
  void* address = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor.get(), 0);
  if (address == MAP_FAILED) fail("{}: cannot map {} bytes: {}", path.string(), size_, std::strerror(errno));
  data_ = static_cast<const std::byte*>(address);
  is_mapped_ = true;
  const std::lock_guard lock(mapped().mutex);
  mapped().files[reinterpret_cast<std::uintptr_t>(data_)] = {reinterpret_cast<std::uintptr_t>(data_ + size_),
                                                             status.st_dev, status.st_ino};
}

MappedFile MappedFile::over(std::filesystem::path name, std::span<const std::byte> bytes) {
  MappedFile file;
  file.path_ = std::move(name);
  file.data_ = bytes.data();
  file.size_ = bytes.size();
  return file;
}

bool MappedFile::is_mapped(const std::filesystem::path& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return false;
  const std::lock_guard lock(mapped().mutex);
  return std::any_of(mapped().files.begin(), mapped().files.end(), [&](const auto& file) {
    return file.second.device == status.st_dev && file.second.inode == status.st_ino;
  });
}

void MappedFile::release(std::span<const std::byte> bytes) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = (reinterpret_cast<std::uintptr_t>(bytes.data()) + page - 1) / page * page;
  const auto end = reinterpret_cast<std::uintptr_t>(bytes.data() + bytes.size()) / page * page;
  if (begin >= end) return;
  const std::lock_guard lock(mapped().mutex);
  // the file that begins at or below our first byte is the one before
  const auto after = mapped().files.upper_bound(begin);
  if (after == mapped().files.begin() || std::prev(after)->second.end < end) return;
#ifndef __EMSCRIPTEN__  // maps by copying, and has no such call
  ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
#endif
}

MappedFile::MappedFile(MappedFile&& other) noexcept { *this = std::move(other); }

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(is_mapped_, other.is_mapped_);
  return *this;
}

MappedFile::~MappedFile() {
  if (!is_mapped_) return;
  const std::lock_guard lock(mapped().mutex);
  mapped().files.erase(reinterpret_cast<std::uintptr_t>(data_));
  ::munmap(const_cast<std::byte*>(data_), size_);
}

}  // namespace rung
