#include "base/error.h"

namespace rung {

void fail_with(fmt::string_view format, fmt::format_args values) { throw Error(fmt::vformat(format, values)); }

}  // namespace rung
