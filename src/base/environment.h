// The environment variables that Rung reads: all of them, here and nowhere else.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/hub_environment.h"

namespace rung {

struct Environment {
  std::string kernels;                 // RUNG_KERNELS: force a kernel set by name
  bool no_color = false;               // NO_COLOR (https://no-color.org): any non-empty value
  bool dumb_terminal = false;          // TERM=dumb: it shows control sequences instead of obeying them
  std::filesystem::path cache_folder;  // $XDG_CACHE_HOME/rung, else ~/.cache/rung; empty when neither is known
  std::vector<std::filesystem::path> program_folders;  // PATH
  HubEnvironment hub;                                  // HF_*: what huggingface_hub reads
  std::vector<std::filesystem::path> ollama_folders;   // OLLAMA_MODELS
};

// Read once, at the first call.
const Environment& environment();

}  // namespace rung
