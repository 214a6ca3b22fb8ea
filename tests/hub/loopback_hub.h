// tests/hub/hub.py, started for a test: a hub on loopback with repositories and faults as the test wants them.
#pragma once

#include <cstdio>
#include <filesystem>
#include <string>
#include <sys/types.h>
#include <vector>

#include "base/json.h"
#include "files/hub/hub.h"
#include "files/temporary_folder.h"

namespace rung {

class LoopbackHub {
 public:
  LoopbackHub();  // throws: there is no python3
  ~LoopbackHub();
  LoopbackHub(const LoopbackHub&) = delete;
  LoopbackHub& operator=(const LoopbackHub&) = delete;

  const std::string& url() const { return url_; }
  const std::string& cdn() const { return cdn_; }
  const std::string& tls() const { return tls_; }  // the same hub over TLS; empty: there is no openssl here
  const std::string& certificate() const { return certificate_; }
  // A file of a repository: "owner/name", "config.json".
  void put(const std::string& repository, const std::string& file, const std::string& content);
  void put_folder(const std::string& repository, const std::filesystem::path& folder);
  std::filesystem::path repository(const std::string& name) const { return folder_ / name; }

  void set(OrderedJson faults);  // {"gated": true}
  OrderedJson log();             // the requests since the last time
  void wait_until_held();
  void release();

  // For a client of this hub that does not wait between its tries.
  HubSettings settings(const std::filesystem::path& cache) const;
  // The same for the program.
  std::vector<std::string> environment(const std::filesystem::path& cache) const;

 private:
  OrderedJson command(OrderedJson line);

  TemporaryFolder folder_;
  pid_t child_ = 0;
  std::FILE* to_ = nullptr;
  std::FILE* from_ = nullptr;
  std::string url_, cdn_, tls_, certificate_;
};

// So many bytes that look like chance, and are the same each time.
std::string noise(std::size_t bytes, unsigned seed = 1);
std::string text_of(const std::filesystem::path& file);
bool holds(const std::string& text, const std::string& part);
// Every path below a folder, links as "name -> target".
std::vector<std::string> tree_of(const std::filesystem::path& folder);

}  // namespace rung
