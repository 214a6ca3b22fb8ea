#include "engine/device.h"

#include "base/error.h"
#include "ops/reference.h"

namespace rung {

Device::Device(std::string_view name, std::size_t threads) {
  if (name != "reference") fail("--device {}: this build has: reference", name);
  constexpr std::size_t kMostThreads = 1024;
  if (threads > kMostThreads) fail("--threads is {}, expected at most {}", threads, kMostThreads);
  name_ = "reference";
  team_ = std::make_unique<ThreadTeam>(threads == 0 ? usable_processors() : threads);
  auto ops = std::make_unique<ReferenceOps>(*team_);
  kernels_ = ops->kernels();
  ops_ = std::move(ops);
}

}  // namespace rung
