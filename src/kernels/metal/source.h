// The kernels' source, compiled into the program: the system's compiler gets it when the program runs.  Milestone M7.
#pragma once

#include <string>

namespace rung::gpu {

// All files of this folder as one, each with its name, so that the compiler's errors name file and line.
std::string kernel_source();

}  // namespace rung::gpu
