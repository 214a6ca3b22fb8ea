// Where a model runs: a backend and its threads.  Milestone M6.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/threads.h"
#include "ops/ops.h"

namespace rung {

class Device {
 public:
  static constexpr std::size_t kMostThreads = 1024;
  // The names of the backends: the default, and the plain one that the others are held against. Everything else about
  // them is in device.cpp's table.
  static constexpr std::string_view kFast = "cpu", kReference = "reference", kMetal = "metal";
  static bool exists(std::string_view name);
  static std::string names();         // "cpu, reference": of those that this build has
  static std::string descriptions();  // "cpu: fast; reference: …"

  // `threads` 0: one for each physical core that this process may use. `cache_type`: what a KV cache holds where a
  // session asks for nothing else: f32, f16 or q8_0; none: f16 for cpu, f32 for reference. Throws Error: a device that
  // this build does not have, threads that the system does not start.
  explicit Device(std::string_view name = kFast, std::size_t threads = 0, std::optional<DType> cache_type = {});

  Ops& ops() { return *ops_; }
  ThreadTeam& team() { return *team_; }
  std::size_t threads() const { return team_->size(); }
  std::string_view name() const { return name_; }
  std::string_view kernels() const { return kernels_; }
  DType cache_type() const { return ops_->cache_type(); }

 private:
  std::string_view name_;
  std::string_view kernels_;
  std::unique_ptr<ThreadTeam> team_;
  std::unique_ptr<Ops> ops_;
};

}  // namespace rung
