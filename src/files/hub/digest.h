// A file that grows → its SHA-256, or git's SHA-1 of a blob, computed while it is written.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>

namespace rung {

// The hub names a large file by the SHA-256 of its bytes, any other as git does: SHA-1 of "blob SIZE\0" and the bytes.
enum class DigestKind { sha256, git_blob };

// Reads along in a thread of its own: what was written a moment ago is still in memory, so it costs a copy, no disk,
// and the network never waits for it.
class FollowingDigest {
 public:
  // `size` of the whole file; a git blob's digest begins with it. Throws Error: OpenSSL is not there.
  FollowingDigest(std::filesystem::path path, DigestKind kind, std::uint64_t size);
  ~FollowingDigest();  // without finish(): stops
  FollowingDigest(const FollowingDigest&) = delete;
  FollowingDigest& operator=(const FollowingDigest&) = delete;

  void written(std::uint64_t bytes);  // so many, from the first on, are in the file now
  bool done() const;                  // the last of them was read, and none are to come: after end()
  void end();                         // no more will be written
  std::string finish();               // waits; in hex, and the file is on the disk. Throws Error: it could not be read

 private:
  void run();

  const std::filesystem::path path_;
  const DigestKind kind_;
  const std::uint64_t size_;
  mutable std::mutex mutex_;
  std::condition_variable more_;
  std::uint64_t written_ = 0;
  bool ended_ = false, stopped_ = false, done_ = false;
  std::string result_;
  std::exception_ptr problem_;
  std::thread thread_;
};

// Opens OpenSSL's library: what would fail later fails now. Throws Error.
void require_digests();

}  // namespace rung
