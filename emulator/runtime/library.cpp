// Compiling and loading kernels: mslcc.py makes a shared object, whose constructors register what is in it.
#include <dlfcn.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <mutex>

#include "../emulator.h"

namespace {

// While a shared object is being loaded, its kernels and constants come here, in the order of the file.
msl::Kernel* first_kernel;
msl::Kernel** next_kernel = &first_kernel;
msl::Constant* first_constant;
msl::Constant** next_constant = &first_constant;

struct Loaded {
  void* handle;
  msl::Kernel* kernels;
  msl::Constant* constants;
};

const char* option_of(metal_emulator::Build build) {
  switch (build) {
    case metal_emulator::Build::checked: return " --checked";
    case metal_emulator::Build::contracted: return " --contracted";
    default: return "";
  }
}

std::string quoted(const std::string& word) { return "'" + word + "'"; }

}  // namespace

void msl_register_kernel(msl::Kernel* kernel) {
  kernel->next = nullptr;
  *next_kernel = kernel;
  next_kernel = &kernel->next;
}

void msl_register_constant(msl::Constant* constant) {
  constant->next = nullptr;
  *next_constant = constant;
  next_constant = &constant->next;
}

namespace metal_emulator {

std::string compile(const std::string& metal_file, Build build, const std::vector<std::string>& flags) {
  std::string command = "python3 " + quoted(METAL_EMULATOR "/mslcc.py") + " --cache " + quoted(METAL_CACHE) +
                        option_of(build) + " " + quoted(metal_file);
  for (const std::string& flag : flags) command += " " + quoted(flag);
  command += " 2>&1";
  FILE* const pipe = ::popen(command.c_str(), "r");
  if (!pipe) throw std::runtime_error{"python3 cannot be started"};
  std::string words;
  char part[4096];
  while (const std::size_t n = std::fread(part, 1, sizeof part, pipe)) words.append(part, n);
  const int status = ::pclose(pipe);
  if (status != 0) throw std::runtime_error{words};
  while (!words.empty() && words.back() == '\n') words.pop_back();
  return words.substr(words.rfind('\n') + 1);  // the last line: where the shared object lies; before it, warnings
}

Library::Library(const std::string& shared_object) {
  static std::mutex mutex;
  static std::map<std::string, Loaded> loaded;  // for good: its constructors run once
  const std::lock_guard<std::mutex> lock{mutex};
  auto found = loaded.find(shared_object);
  if (found == loaded.end()) {
    first_kernel = nullptr;
    next_kernel = &first_kernel;
    first_constant = nullptr;
    next_constant = &first_constant;
    void* const handle = ::dlopen(shared_object.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle) throw std::runtime_error{::dlerror()};
    found = loaded.emplace(shared_object, Loaded{handle, first_kernel, first_constant}).first;
  }
  handle_ = found->second.handle;
  kernels_ = found->second.kernels;
  constants_ = found->second.constants;
}

Library::~Library() = default;

const msl::Kernel* Library::find(const std::string& name) const {
  for (const msl::Kernel* k = kernels_; k; k = k->next) {
    if (name == k->name) return k;
  }
  return nullptr;
}

std::vector<std::string> Library::names() const {
  std::vector<std::string> names;
  for (const msl::Kernel* k = kernels_; k; k = k->next) names.emplace_back(k->name);
  return names;
}

}  // namespace metal_emulator
