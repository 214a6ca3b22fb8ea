#include "files/hub/blob_download.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/printable.h"

namespace rung {

namespace {

constexpr std::size_t kBufferBytes = 256 << 10;
constexpr const char* kIncomplete = ".incomplete";  // as huggingface_hub 0.x calls it, which resumes it as well

}  // namespace

BlobDownload::BlobDownload(Hub& hub, const HubRepository& repository, HubFile file, std::filesystem::path blob,
                           FileLock lock)
    : hub_(hub),
      repository_(repository),
      file_(std::move(file)),
      blob_(std::move(blob)),
      incomplete_(std::filesystem::path(blob_) += kIncomplete),
      lock_(std::move(lock)) {
  buffer_.reserve(kBufferBytes);
  fd_ = ::open(incomplete_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (fd_ < 0) fail_errno("made");
  struct stat status{};
  if (::fstat(fd_, &status) != 0 || !S_ISREG(status.st_mode)) fail("{}: is no file", incomplete_.string());
  const auto size = static_cast<std::uint64_t>(status.st_size);
  begin(size <= file_.size ? size : 0);
}

BlobDownload::~BlobDownload() {
  hub_.http().forget(*this);
  digest_.reset();
  // what came is kept for the next one, who goes on from there
  if (fd_ >= 0 && !buffer_.empty() && state_ != State::done) [[maybe_unused]]
    auto n = ::write(fd_, buffer_.data(), buffer_.size());
  if (fd_ >= 0) ::close(fd_);
}

void BlobDownload::begin(std::uint64_t from) {
  digest_.reset();
  buffer_.clear();
  here_ = from;
  resumed_ = from > 0;
  if (::ftruncate(fd_, static_cast<off_t>(from)) != 0) fail_errno("written");
  if (::lseek(fd_, 0, SEEK_END) < 0) fail_errno("written");
  const DigestKind kind = file_.etag.size() == 64 ? DigestKind::sha256 : DigestKind::git_blob;
  digest_ = std::make_unique<FollowingDigest>(incomplete_, kind, file_.size);
  digest_->written(here_);
  ask();
}

void BlobDownload::ask() {
  if (here_ == file_.size) return check();
  is_first_of_answer_ = true;
  asked_from_ = here_;
  state_ = State::runs;
  HttpRequest request{.url = hub_.url_of(repository_, file_.name), .first = here_};
  hub_.http().start(std::move(request), *this);
}

// Is it the part that was asked for? Else the file is begun anew.
bool BlobDownload::accepts(const HttpAnswer& answer) {
  if (answer.status == 206) return answer.header("content-range").starts_with(fmt::format("bytes {}-", asked_from_));
  if (answer.status != 200) return false;
  if (asked_from_ == 0) return true;
  ignored_range_ = true;  // it sends everything, from the first byte on
  return false;
}

bool BlobDownload::body(const HttpAnswer& so_far, std::string_view bytes) {
  if (so_far.status != 200 && so_far.status != 206) return true;  // the words of an error: nobody reads them
  if (is_first_of_answer_ && !accepts(so_far)) return false;
  is_first_of_answer_ = false;
  if (bytes.size() > file_.size - here()) {
    too_long_ = true;
    return false;
  }
  tries_ = 0;
  buffer_ += bytes;
  if (buffer_.size() >= kBufferBytes) flush();
  return true;
}

void BlobDownload::flush() {
  for (std::string_view left = buffer_; !left.empty();) {
    const ::ssize_t n = ::write(fd_, left.data(), left.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_errno("written");
    left.remove_prefix(static_cast<std::size_t>(n));
    here_ += static_cast<std::uint64_t>(n);
  }
  buffer_.clear();
  digest_->written(here_);
}

void BlobDownload::done(const HttpAnswer& answer) {
  flush();
  if (too_long_) {
    fail("{}: {} sends more of {} than the {} bytes that it has", repository_.name.repository, hub_.host(),
         printable(file_.name), file_.size);
  }
  if (here_ == file_.size) return check();
  const bool is_no_part = answer.status == 416 || (answer.status == 206 && is_first_of_answer_ && !answer.is_whole());
  if (std::exchange(ignored_range_, false) || (is_no_part && asked_from_ > 0)) {
    if (++restarts_ < hub_.settings().tries) return begin(0);
  }
  const bool ended_early = (answer.status == 200 || answer.status == 206) && !answer.is_final;
  if (!ended_early && !is_no_part && !may_help_again(answer)) hub_.explain(repository_.name, file_.name, answer);
  if (is_no_part || ++tries_ >= hub_.settings().tries) {
    if (is_no_part || (ended_early && answer.is_whole())) {
      fail("{}: {} sends {} bytes of {}, expected {}", repository_.name.repository, hub_.host(), here_,
           printable(file_.name), file_.size);
    }
    hub_.explain(repository_.name, file_.name, answer);
  }
  const auto wait = hub_.wait_before(tries_ + 1, answer);
  again_ = std::chrono::steady_clock::now() + wait;
  reason_ =
      fmt::format("{}: {}", file_.name, answer.is_whole() ? fmt::format("status {}", answer.status) : answer.problem);
  state_ = State::waits;
}

void BlobDownload::check() {
  digest_->end();
  state_ = State::is_checked;
}

BlobDownload::State BlobDownload::go_on() {
  if (state_ == State::waits && std::chrono::steady_clock::now() >= again_) ask();
  if (state_ != State::is_checked || !digest_->done()) return state_;
  const std::string found = digest_->finish();
  if (found != file_.etag) {
    if (resumed_) {  // perhaps it was what an earlier try left
      begin(0);
      return state_;
    }
    ::unlink(incomplete_.c_str());
    fail("{}: {}: the {} of what came is {}, expected {}", repository_.name.repository, printable(file_.name),
         file_.etag.size() == 64 ? "SHA-256" : "SHA-1 (git's, of a blob)", found, file_.etag);
  }
  if (::rename(incomplete_.c_str(), blob_.c_str()) != 0) fail_errno("renamed");
  return state_ = State::done;
}

void BlobDownload::fail_errno(const char* doing) const {
  const int error = errno;
  if (error == ENOSPC || error == EDQUOT) {
    fail("{}: no space left on the disk, at {} of {} bytes of {} (the next pull goes on from there)",
         blob_.parent_path().string(), here_, file_.size, printable(file_.name));
  }
  fail("{}: cannot be {}: {}", incomplete_.string(), doing, std::strerror(error));
}

}  // namespace rung
