#include "files/hub/library.h"

#include <dlfcn.h>

#include "base/error.h"

namespace rung {

Library::Library(std::initializer_list<const char*> files, const char* what, const char* package) : what_(what) {
  for (const char* file : files) {
    if (handle_ == nullptr) handle_ = ::dlopen(file, RTLD_NOW | RTLD_LOCAL);
  }
  if (handle_ == nullptr) fail("{} is not installed, which pulling from the hub needs (on Debian: {})", what, package);
}

void* Library::symbol(const char* name) const {
  void* found = ::dlsym(handle_, name);
  if (found == nullptr) fail("{} is too old: it has no {}", what_, name);
  return found;
}

}  // namespace rung
