// The hub's public interface: a name → what a repository holds, parts of its files, a search.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "files/hub/http.h"
#include "files/hub/name.h"

namespace rung {

struct HubSettings {
  std::string endpoint = "https://huggingface.co";
  std::string token = {};         // goes to the endpoint's own host alone, and is never printed
  std::string certificates = {};  // a file of those to trust; empty: the system's
  std::filesystem::path cache = {};
  bool offline = false;
  long connect_seconds = 10, stall_seconds = 20;
  int tries = 5;                               // of what failed by an accident of the network
  std::chrono::milliseconds first_wait{1000};  // before the second one; then twice as long each time
};

// As the environment says (base/hub_environment.h); the token's file is read here.
HubSettings hub_settings();

struct HubFile {
  std::string name;  // as the hub says it: is_file_name() before it becomes a path
  std::uint64_t size = 0;
  std::string etag =
      {};  // its hash, and the name of its blob: SHA-256 of a large file, else git's SHA-1; empty: not said
};

struct HubRepository {
  HubName name;
  std::string commit;  // which the revision is now
  std::vector<HubFile> files;

  const HubFile* find(std::string_view file) const;
};

struct HubFound {
  std::string repository;
  std::uint64_t downloads = 0, likes = 0;
  bool safetensors = false, gguf = false;
};

// Every call throws Error where the answer is none that helps, and Interrupted after a signal (SignalWatch).
class Hub {
 public:
  explicit Hub(HubSettings settings);  // throws Error: offline, or libcurl is not there

  HubRepository repository(const HubName& name);
  // Bytes [first, first + count) of a file, or as many as it has.
  std::string read(const HubRepository& repository, const std::string& file, std::uint64_t first, std::size_t count);
  // Size and hash of a file of which the listing does not say them.
  HubFile described(const HubRepository& repository, const std::string& file);
  std::vector<HubFound> search(std::string_view text, std::size_t most);

  const HubSettings& settings() const { return settings_; }
  Http& http() { return http_; }
  std::string url_of(const HubRepository& repository, const std::string& file) const;
  std::string host() const;  // of the endpoint, for people
  // How long to wait before try number `next`, counted from 2: as the answer asks, else longer each time.
  std::chrono::milliseconds wait_before(int next, const HttpAnswer& answer) const;
  void wait(std::chrono::milliseconds time);
  // Why a request for a repository, or for a file of it, was of no use, in one line.
  [[noreturn]] void explain(const HubName& name, std::string_view file, const HttpAnswer& answer) const;

 private:
  HttpAnswer ask(const HttpRequest& request, std::string& body, std::size_t limit);

  HubSettings settings_;
  Http http_;
};

// Was it an accident, so that asking again may help?
bool may_help_again(const HttpAnswer& answer);

}  // namespace rung
