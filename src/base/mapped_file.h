// path → the bytes of the file, read-only, without reading them.  Milestone M1.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

namespace rung {

// Throws Error where `path` is a link to what is not there. The hub's cache is made of links: a download that was not
// finished leaves such ones, and to take them for files that the model lacks would be to run it without.
void refuse_broken_link(const std::filesystem::path& path);

// mmap asks the kernel to lay a file's bytes into our address space. Nothing is read until a byte is touched; then the
// page (4 KiB) that holds it is brought in, and the kernel may drop it again when memory is short. So a 100 GB file
// opens in microseconds, and two processes that map the same model share one copy. The file must not shrink while it is
// mapped: touching a page past its end is a SIGBUS.
//
//   MappedFile file{path};   // outlives every view that points into it
class MappedFile {
 public:
  MappedFile() = default;
  explicit MappedFile(const std::filesystem::path& path);  // throws Error: missing, not a regular file, no permission
  // The same over bytes that are there anyway, such as a file that was compiled in; they outlive this.
  static MappedFile over(std::filesystem::path name, std::span<const std::byte> bytes);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  // Whether this process has the file mapped now, under this name or another: to write over it would be to change what
  // is read.
  static bool is_mapped(const std::filesystem::path& path);

  // Says that these bytes are not needed for now: their pages stop counting as this process's memory, and come back
  // from the file when they are touched. Bytes that lie in no mapped file are left as they are.
  static void release(std::span<const std::byte> bytes);

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  bool is_mapped_ = false;  // and must be unmapped
};

}  // namespace rung
