// One blob on its way from the hub into the cache: asked for from where an earlier try ended, checked while it is
// written, named when it is whole.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "files/hub/cache.h"
#include "files/hub/digest.h"
#include "files/hub/hub.h"

namespace rung {

class BlobDownload : public HttpReceiver {
 public:
  // `lock` is the blob's own, and held until this is no more.
  BlobDownload(Hub& hub, const HubRepository& repository, HubFile file, std::filesystem::path blob, FileLock lock);
  ~BlobDownload() override;

  enum class State { runs, waits, is_checked, done };
  // Goes on where no byte of the network is waited for. Throws Error: it cannot become whole.
  State go_on();

  const HubFile& file() const { return file_; }
  std::uint64_t here() const { return here_ + buffer_.size(); }  // bytes of it, so far
  // Why it waits, told once; empty: it does not.
  std::string take_reason() { return std::exchange(reason_, {}); }

  bool body(const HttpAnswer& so_far, std::string_view bytes) override;
  void done(const HttpAnswer& answer) override;

 private:
  void begin(std::uint64_t from);  // what is there before `from` is kept
  void ask();
  void flush();
  void check();
  bool accepts(const HttpAnswer& answer);
  [[noreturn]] void fail_errno(const char* doing) const;

  Hub& hub_;
  const HubRepository& repository_;
  const HubFile file_;
  const std::filesystem::path blob_, incomplete_;
  const FileLock lock_;
  int fd_ = -1;
  State state_ = State::waits;
  std::uint64_t here_ = 0;  // bytes in the file
  std::uint64_t asked_from_ = 0;
  std::string buffer_;  // bytes that came and are not in the file yet
  bool is_first_of_answer_ = true, resumed_ = false, too_long_ = false, ignored_range_ = false;
  int restarts_ = 0;                               // from the first byte, because the server would not send a part
  int tries_ = 0;                                  // since the last byte came
  std::chrono::steady_clock::time_point again_{};  // when the next one is
  std::string reason_;
  std::unique_ptr<FollowingDigest> digest_;
};

}  // namespace rung
