// The one file that is compiled with the paths in it, so that all others compile alike wherever the tree lies.
#include "paths.h"

namespace rung {

std::filesystem::path source_folder() { return RUNG_SOURCE; }
std::filesystem::path golden_folder() { return source_folder() / "tests" / "golden"; }
std::filesystem::path download_folder() { return source_folder() / "build" / "downloads"; }
std::filesystem::path rung_program() { return RUNG_PROGRAM; }

}  // namespace rung
