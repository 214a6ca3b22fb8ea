#pragma once

#include "kernels/kernels.h"

namespace rung::scalar {

extern const Kernels kernels;

}  // namespace rung::scalar
