#include "base/environment.h"

#include <cstdlib>
#include <optional>
#include <sstream>

namespace rung {

namespace {

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::string value_of(const char* name) { return variable(name).value_or(""); }

Environment read() {
  Environment e;
  e.kernels = value_of("RUNG_KERNELS");
  e.no_color = !value_of("NO_COLOR").empty();
  e.dumb_terminal = value_of("TERM") == "dumb";
  const std::filesystem::path xdg = value_of("XDG_CACHE_HOME");
  const std::filesystem::path home = value_of("HOME");
  if (xdg.is_absolute()) {  // the XDG specification says to ignore a relative one
    e.cache_folder = xdg / "rung";
  } else if (!home.empty()) {
    e.cache_folder = home / ".cache" / "rung";
  }
  std::istringstream path(value_of("PATH"));
  for (std::string folder; std::getline(path, folder, ':');) e.program_folders.emplace_back(folder);
  e.hub = hub_environment(variable);
  e.ollama_folders = ollama_folders(variable);
  return e;
}

}  // namespace

const Environment& environment() {
  static const Environment kEnvironment = read();
  return kEnvironment;
}

}  // namespace rung
