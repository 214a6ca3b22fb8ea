// A name of the hub → a model in the cache: every file whole and verified, or nothing that anybody would see.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "files/hub/cache.h"
#include "files/hub/hub.h"

namespace rung {

// Who wants to know how far it is. Called from the thread that pulls.
class PullListener {
 public:
  virtual ~PullListener() = default;
  // Of `total` bytes in `files` files, `here` need not come.
  virtual void begin(std::size_t /*files*/, std::uint64_t /*total*/, std::uint64_t /*here*/) {}
  virtual void at(std::uint64_t /*bytes*/) {}        // so many are here now; a few times a second
  virtual void file(const HubFile&) {}               // is whole, and what the hub says that it is
  virtual void waits(const std::string& /*why*/) {}  // for another program, or before another try
};

// What a name means: the files that Rung reads of a repository. Asks the hub once more for a sharded model, whose index
// says which its shards are. Throws Error; UnclearChoice.
std::vector<HubFile> files_of_model(Hub& hub, const HubRepository& repository);

// How far it got an earlier pull, or another program's, does not matter: what lies in the cache is taken, half a file
// is completed. A signal ends it (Interrupted); what came until then stays for the next one. Throws Error.
struct PulledModel {
  HubRepository repository;
  std::vector<HubFile> files;
  std::filesystem::path path;  // what -m takes
  std::uint64_t brought = 0;   // bytes that were not here before
};
PulledModel pull(Hub& hub, const HubCache& cache, const HubName& name, PullListener& listener);

}  // namespace rung
