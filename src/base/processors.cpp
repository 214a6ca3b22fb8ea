#include "base/processors.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <set>
#include <sstream>
#include <thread>

#ifdef __linux__
#include <sched.h>
#endif

namespace rung {

namespace {

namespace fs = std::filesystem;

constexpr double kNoQuota = std::numeric_limits<double>::infinity();

double number_in(const fs::path& file) {
  std::ifstream in(file);
  double value = 0;
  return in >> value ? value : 0;
}

// Version 2: cpu.max holds "quota period" in microseconds, or "max period".
double quota_of_v2(const fs::path& group) {
  std::ifstream in(group / "cpu.max");
  double quota = 0, period = 0;
  return in >> quota >> period && quota > 0 && period > 0 ? quota / period : kNoQuota;
}

// Version 1: two files; a quota of -1 is none.
double quota_of_v1(const fs::path& group) {
  const double quota = number_in(group / "cpu.cfs_quota_us"), period = number_in(group / "cpu.cfs_period_us");
  return quota > 0 && period > 0 ? quota / period : kNoQuota;
}

// A group is bounded by those around it, too. Inside a container its own path may not exist: then the root is what the
// container sees of itself.
double smallest_quota(const fs::path& root, const fs::path& own, double (*quota_of)(const fs::path&)) {
  double smallest = quota_of(root);
  fs::path group = root;
  for (const fs::path& part : own.relative_path()) {
    group /= part;
    smallest = std::min(smallest, quota_of(group));
  }
  return smallest;
}

}  // namespace

// /proc/self/cgroup has a line for each hierarchy, "number:controllers:path": version 2 is the one without controllers.
double cpu_quota(const SystemFiles& files) {
  double smallest = kNoQuota;
  std::ifstream in(files.own_groups);
  for (std::string line; std::getline(in, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first == std::string::npos ? first : first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const fs::path own = line.substr(second + 1);
    if (controllers.empty()) {
      smallest = std::min(smallest, smallest_quota(files.groups, own, quota_of_v2));
      continue;
    }
    std::istringstream names(controllers);
    for (std::string name; std::getline(names, name, ',');) {
      if (name != "cpu") continue;
      smallest = std::min(smallest, smallest_quota(files.groups / controllers, own, quota_of_v1));
      smallest = std::min(smallest, smallest_quota(files.groups / "cpu", own, quota_of_v1));
    }
  }
  return smallest;
}

std::size_t first_of_core(const SystemFiles& files, std::size_t processor) {
  std::ifstream in(files.processors / ("cpu" + std::to_string(processor)) / "topology" / "thread_siblings_list");
  std::size_t first = 0;
  return in >> first ? first : processor;  // "0,4" or "0-1": in ascending order
}

std::size_t usable_processors() {
  std::size_t n = std::max(1u, std::thread::hardware_concurrency());
#ifdef __linux__
  const SystemFiles files;
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (sched_getaffinity(0, sizeof(mask), &mask) == 0) {
    std::set<std::size_t> cores;
    for (std::size_t i = 0; i < CPU_SETSIZE; ++i) {
      if (CPU_ISSET(i, &mask)) cores.insert(first_of_core(files, i));
    }
    n = cores.size();
  }
  const double quota = cpu_quota(files);
  if (quota < static_cast<double>(n)) n = static_cast<std::size_t>(quota);
#endif
  return std::max<std::size_t>(1, n);
}

}  // namespace rung
