#include "files/hub/digest.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#if __has_include(<openssl/evp.h>)
#include <openssl/evp.h>
#define RUNG_OPENSSL
#endif

#include "base/error.h"
#include "files/hub/library.h"

namespace rung {

namespace {

constexpr std::size_t kBlockBytes = 256 << 10;

#ifdef RUNG_OPENSSL

// What we call of OpenSSL; the types are its own header's.
struct Openssl {
  const Library library{{"libcrypto.so.3", "libcrypto.so.1.1", "libcrypto.3.dylib",
                         "/opt/homebrew/opt/openssl@3/lib/libcrypto.3.dylib",  // Homebrew links it to no usual place
                         "/usr/local/opt/openssl@3/lib/libcrypto.3.dylib"},
                        "OpenSSL's library",
                        "apt-get install libssl3"};
  decltype(&::EVP_MD_CTX_new) context_new = nullptr;
  decltype(&::EVP_MD_CTX_free) context_free = nullptr;
  decltype(&::EVP_DigestInit_ex) init = nullptr;
  decltype(&::EVP_DigestUpdate) update = nullptr;
  decltype(&::EVP_DigestFinal_ex) final = nullptr;
  decltype(&::EVP_sha256) sha256 = nullptr;
  decltype(&::EVP_sha1) sha1 = nullptr;

  Openssl() {
    library.find(context_new, "EVP_MD_CTX_new");
    library.find(context_free, "EVP_MD_CTX_free");
    library.find(init, "EVP_DigestInit_ex");
    library.find(update, "EVP_DigestUpdate");
    library.find(final, "EVP_DigestFinal_ex");
    library.find(sha256, "EVP_sha256");
    library.find(sha1, "EVP_sha1");
  }
};

const Openssl& openssl() {
  static const Openssl kOpenssl;
  return kOpenssl;
}

class Digest {
 public:
  explicit Digest(DigestKind kind) : context_(openssl().context_new(), openssl().context_free) {
    const EVP_MD* type = kind == DigestKind::sha256 ? openssl().sha256() : openssl().sha1();
    if (!context_ || openssl().init(context_.get(), type, nullptr) != 1) fail("OpenSSL cannot begin a checksum");
  }
  void add(const void* bytes, std::size_t count) {
    if (openssl().update(context_.get(), bytes, count) != 1) fail("OpenSSL cannot go on with a checksum");
  }
  std::string hex() {
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned int count = 0;
    if (openssl().final(context_.get(), bytes, &count) != 1) fail("OpenSSL cannot end a checksum");
    std::string out;
    for (unsigned int i = 0; i < count; ++i) out += fmt::format("{:02x}", bytes[i]);
    return out;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&::EVP_MD_CTX_free)> context_;
};

#else

[[noreturn]] void fail_without_openssl() {
  fail(
      "this program was built without OpenSSL, which pulling from the hub needs (on Debian: apt-get install "
      "libssl-dev, then build again)");
}

class Digest {
 public:
  explicit Digest(DigestKind) { fail_without_openssl(); }
  void add(const void*, std::size_t) {}
  std::string hex() { return {}; }
};

#endif

class ReadFile {
 public:
  explicit ReadFile(const std::filesystem::path& path) : path_(path), fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (fd_ < 0) fail("{}: {}", path.string(), std::strerror(errno));
  }
  ~ReadFile() { ::close(fd_); }
  ReadFile(const ReadFile&) = delete;
  ReadFile& operator=(const ReadFile&) = delete;

  std::size_t read(std::uint64_t at, char* bytes, std::size_t count) const {
    ssize_t n = 0;
    do {
      n = ::pread(fd_, bytes, count, static_cast<off_t>(at));
    } while (n < 0 && errno == EINTR);
    if (n < 0) fail("{}: {}", path_.string(), std::strerror(errno));
    if (n == 0) fail("{}: became shorter while it was checked", path_.string());
    return static_cast<std::size_t>(n);
  }

  // Brings what was written to the disk: a name that it gets after this never leads to less.
  void sync() const {
    if (::fsync(fd_) != 0 && errno != EINVAL) fail("{}: cannot be written: {}", path_.string(), std::strerror(errno));
  }

 private:
  const std::filesystem::path path_;
  int fd_;
};

}  // namespace

void require_digests() {
#ifdef RUNG_OPENSSL
  openssl();
#else
  fail_without_openssl();
#endif
}

FollowingDigest::FollowingDigest(std::filesystem::path path, DigestKind kind, std::uint64_t size)
    : path_(std::move(path)), kind_(kind), size_(size) {
  require_digests();
  thread_ = std::thread([this] { run(); });
}

FollowingDigest::~FollowingDigest() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  more_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void FollowingDigest::run() try {
  Digest digest(kind_);
  const std::string head = fmt::format("blob {}", size_);
  if (kind_ == DigestKind::git_blob) digest.add(head.c_str(), head.size() + 1);  // and its zero
  std::vector<char> block(kBlockBytes);
  std::unique_ptr<ReadFile> file;
  for (std::uint64_t at = 0;;) {
    std::uint64_t end = 0;
    {
      std::unique_lock lock(mutex_);
      more_.wait(lock, [&] { return stopped_ || ended_ || written_ - at >= kBlockBytes; });
      if (stopped_) return;
      end = written_;
      if (ended_ && at == end) break;
    }
    if (!file) file = std::make_unique<ReadFile>(path_);
    const std::size_t count =
        file->read(at, block.data(), static_cast<std::size_t>(std::min<std::uint64_t>(end - at, kBlockBytes)));
    digest.add(block.data(), count);
    at += count;
  }
  if (file) file->sync();
  const std::string hex = digest.hex();
  const std::lock_guard lock(mutex_);
  result_ = hex;
  done_ = true;
} catch (...) {
  const std::lock_guard lock(mutex_);
  problem_ = std::current_exception();
  done_ = true;
}

void FollowingDigest::written(std::uint64_t bytes) {
  {
    const std::lock_guard lock(mutex_);
    written_ = bytes;
  }
  more_.notify_one();
}

void FollowingDigest::end() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  more_.notify_one();
}

bool FollowingDigest::done() const {
  const std::lock_guard lock(mutex_);
  return done_;
}

std::string FollowingDigest::finish() {
  end();
  if (thread_.joinable()) thread_.join();
  if (problem_) std::rethrow_exception(problem_);
  return result_;
}

}  // namespace rung
