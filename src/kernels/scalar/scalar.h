// The kernels that every machine runs, written for reading.  Milestone M2.
#pragma once

#include "kernels/kernels.h"

namespace rung::scalar {

extern const Kernels kernels;

}  // namespace rung::scalar
