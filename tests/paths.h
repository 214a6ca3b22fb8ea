// Where the tests find what the tree holds and what ./check brings.
#pragma once

#include <filesystem>

namespace rung {

std::filesystem::path source_folder();    // the root of the repository
std::filesystem::path golden_folder();    // tests/golden
std::filesystem::path download_folder();  // build/downloads: official tokenizers, real models
std::filesystem::path rung_program();     // the program under test

}  // namespace rung
