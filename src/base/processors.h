// How many threads are worth starting on this machine.  Milestone M6.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace rung {

// Physical cores in this process's affinity mask, bounded by the CPU quota of its container. At least 1. Two threads of
// one core share its arithmetic units, so for what Rung does a second one gains nothing.
std::size_t usable_processors();

// Where Linux tells about itself; a test has files of its own.
struct SystemFiles {
  std::filesystem::path own_groups = "/proc/self/cgroup";
  std::filesystem::path groups = "/sys/fs/cgroup";
  std::filesystem::path processors = "/sys/devices/system/cpu";
};

// The smallest quota of this process's control group and those around it, in processors; infinity where there is none.
double cpu_quota(const SystemFiles& files);

// The first of the hardware threads that share a core with `processor`; itself where nothing says so.
std::size_t first_of_core(const SystemFiles& files, std::size_t processor);

}  // namespace rung
