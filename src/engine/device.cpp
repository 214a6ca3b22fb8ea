#include "engine/device.h"

#include "base/error.h"
#include "ops/cpu.h"
#include "ops/reference.h"

namespace rung {

Device::Device(std::string_view name, std::size_t threads) {
  if (name != "reference" && name != "cpu") fail("--device {}: this build has: cpu, reference", name);
  constexpr std::size_t kMostThreads = 1024;
  if (threads > kMostThreads) fail("--threads is {}, expected at most {}", threads, kMostThreads);
  team_ = std::make_unique<ThreadTeam>(threads == 0 ? usable_processors() : threads);
  if (name == "cpu") {
    use<CpuOps>("cpu");
  } else {
    use<ReferenceOps>("reference");
  }
}

template <class Backend>
void Device::use(std::string_view name) {
  name_ = name;
  auto ops = std::make_unique<Backend>(*team_);
  kernels_ = ops->kernels();
  ops_ = std::move(ops);
}

}  // namespace rung
