#include "engine/device.h"

#include "base/error.h"
#include "base/processors.h"
#include "ops/cpu.h"
#include "ops/reference.h"

namespace rung {

Device::Device(std::string_view name, std::size_t threads, std::optional<DType> cache_type) {
  if (!exists(name)) fail("--device {}: this build has: {}", name, kNames);
  if (threads > kMostThreads) fail("--threads is {}, expected at most {}", threads, kMostThreads);
  team_ = std::make_unique<ThreadTeam>(threads == 0 ? usable_processors() : threads);
  if (name == "cpu") {
    use<CpuOps>("cpu", cache_type.value_or(DType::f16));
  } else {
    use<ReferenceOps>("reference", cache_type.value_or(DType::f32));
  }
}

template <class Backend>
void Device::use(std::string_view name, DType cache_type) {
  name_ = name;
  auto ops = std::make_unique<Backend>(*team_);
  ops->set_cache_type(cache_type);
  kernels_ = ops->kernels();
  ops_ = std::move(ops);
}

}  // namespace rung
