#include "engine/device.h"

#include <algorithm>
#include <iterator>

#include "base/error.h"
#include "base/processors.h"
#include "ops/cpu.h"
#if !defined(__EMSCRIPTEN__)
#include "ops/metal/metal.h"
#endif
#include "ops/reference.h"

namespace rung {

namespace {

struct Backend {
  std::unique_ptr<Ops> ops;
  std::string_view kernels;
};

template <class BackendOps>
Backend make(ThreadTeam& team) {
  auto ops = std::make_unique<BackendOps>(team);
  const std::string_view kernels = ops->kernels();
  return {std::move(ops), kernels};
}

#if !defined(__EMSCRIPTEN__)
Backend make_metal(ThreadTeam&) {
  auto ops = std::make_unique<MetalOps>();
  const std::string_view gpu = ops->kernels();
  return {std::move(ops), gpu};
}
#endif

struct Kind {
  std::string_view name, description;
  DType cache_type;  // where nobody asks for another
  Backend (*make)(ThreadTeam&);
};

// Those that this build has.
constexpr Kind kKinds[] = {
    {Device::kFast, "fast", DType::f16, make<CpuOps>},
    {Device::kReference, "plain f32, to compare with", DType::f32, make<ReferenceOps>},
#if !defined(__EMSCRIPTEN__)
    {Device::kMetal, "the GPU of a Mac with a chip of Apple's", DType::f16, make_metal},
#endif
};

const Kind* find(std::string_view name) {
  const Kind* const found =
      std::find_if(std::begin(kKinds), std::end(kKinds), [&](const Kind& kind) { return kind.name == name; });
  return found == std::end(kKinds) ? nullptr : found;
}

}  // namespace

bool Device::exists(std::string_view name) { return find(name) != nullptr; }

std::string Device::names() {
  std::string names;
  for (const Kind& kind : kKinds) names += fmt::format("{}{}", names.empty() ? "" : ", ", kind.name);
  return names;
}

std::string Device::descriptions() {
  std::string all;
  for (const Kind& kind : kKinds) all += fmt::format("{}{}: {}", all.empty() ? "" : "; ", kind.name, kind.description);
  return all;
}

Device::Device(std::string_view name, std::size_t threads, std::optional<DType> cache_type) {
  const Kind* const kind = find(name);
  if (kind == nullptr) fail("--device {}: this build has: {}", name, names());
  if (threads > kMostThreads) fail("--threads is {}, expected at most {}", threads, kMostThreads);
  team_ = std::make_unique<ThreadTeam>(threads == 0 ? usable_processors() : threads);
  Backend backend = kind->make(*team_);
  backend.ops->set_cache_type(cache_type.value_or(kind->cache_type));
  name_ = kind->name;
  kernels_ = backend.kernels;
  ops_ = std::move(backend.ops);
}

}  // namespace rung
