// Where a model runs: a backend and its threads.  Milestone M6.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "base/threads.h"
#include "ops/ops.h"

namespace rung {

class Device {
 public:
  static constexpr std::size_t kMostThreads = 1024;
  static constexpr std::string_view kNames = "cpu, reference";  // of those that this build has
  static bool exists(std::string_view name) { return name == "cpu" || name == "reference"; }

  // "cpu": fast; "reference": plain f32. `threads` 0: one for each physical core that this process may use.
  // `cache_type`: what a KV cache holds where a session asks for nothing else: f32, f16 or q8_0; none: f16 for cpu, f32
  // for reference. Throws Error: a device that this build does not have.
  explicit Device(std::string_view name = "cpu", std::size_t threads = 0, std::optional<DType> cache_type = {});

  Ops& ops() { return *ops_; }
  ThreadTeam& team() { return *team_; }
  std::size_t threads() const { return team_->size(); }
  std::string_view name() const { return name_; }
  std::string_view kernels() const { return kernels_; }
  DType cache_type() const { return ops_->cache_type(); }

 private:
  template <class Backend>
  void use(std::string_view name, DType cache_type);

  std::string_view name_;
  std::string_view kernels_;
  std::unique_ptr<ThreadTeam> team_;
  std::unique_ptr<Ops> ops_;
};

}  // namespace rung
