// bytes → a file that is there whole, or not at all.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/signals.h"

namespace rung {

// Writes to a file of another name beside the one that was asked for. commit() brings the bytes to the disk (fsync) and
// gives the file its name (rename, which on POSIX replaces a file in one step: a reader sees the old one or the new
// one). Without commit() nothing is left behind: also not where Ctrl-C, or another signal that ends a program, comes
// meanwhile (SignalWatch); then the next write or commit() throws Interrupted.
//
// A link is followed, also one whose target is yet to be made; a file that was there keeps its permissions.
//
//   AtomicFile file{path};
//   file.write(header);
//   file.commit();
class AtomicFile {
 public:
  // Throws Error, like write and commit: a full disk, no permission, a directory, a file that this process has mapped.
  explicit AtomicFile(const std::filesystem::path& path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span(text.data(), text.size()))); }
  void commit();

 private:
  void refuse_what_is_read() const;
  void flush();
  void write_through(std::span<const std::byte> bytes);
  [[noreturn]] void fail_errno(std::string_view doing) const;

  const SignalWatch watch_;
  std::filesystem::path path_, temporary_;
  int fd_ = -1;
  std::vector<std::byte> buffer_;  // small writes are gathered
};

// A file's name is an entry of its folder, which has to reach the disk as well. Some file systems refuse to sync a
// folder: not worth an error.
void sync_folder(const std::filesystem::path& folder);

}  // namespace rung
