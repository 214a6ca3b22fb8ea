// Payloads that repositories of the hub's cache share (huggingface_hub 2, utils/_shared_blobs.py): `blobs/AB/ABCD…`
// beside the repositories, and beside each a list of the blobs that lead there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

namespace rung {

// Where a repository's blob leads, if it is a link into the store of `cache`; nullopt: it is a file, or leads
// elsewhere.
std::optional<std::filesystem::path> shared_payload(const std::filesystem::path& blob,
                                                    const std::filesystem::path& cache);

// Removes a payload to which no blob leads any more → the bytes that became free. What is not known for sure is left:
// a payload whose list is missing or cannot be read, a store of another layout.
std::uint64_t sweep_payload(const std::filesystem::path& payload, const std::filesystem::path& cache);

}  // namespace rung
