// "Qwen/Qwen3-0.6B@main:Q4_K_M" → a repository of the hub, a revision, a quantization. And what may become a path.
#pragma once

#include <string>
#include <string_view>

namespace rung {

// What comes from the network or from a command line becomes part of a path only after one of these has said yes.
bool is_commit(std::string_view text);    // 40 hex digits, in lower case
bool is_etag(std::string_view text);      // the name of a blob: 40 hex digits (git's SHA-1) or 64 (SHA-256)
bool is_revision(std::string_view text);  // a branch, a tag, "refs/pr/1", a commit
// A file of a repository: relative, no "..", no control characters, nothing that Windows would read as a drive.
bool is_file_name(std::string_view text);

struct HubName {
  std::string repository;         // "owner/name"
  std::string revision = "main";  // after @
  std::string quantization = {};  // after :, of a repository of GGUF files; empty: not said

  // Has it the shape of such a name? Then it is none of a file that is not there.
  static bool looks_like(std::string_view text);
  // Throws Error where a part of it cannot be, by the rules of the hub.
  static HubName parse(std::string_view text);

  std::string text() const;    // as a person would write it
  std::string folder() const;  // in the cache: "models--owner--name"
};

std::string lower_case(std::string_view text);  // of ASCII; other bytes stay

// One name of the hub's: letters, digits, - _ . of ASCII; no "--", no "..".
bool is_repository(std::string_view text);

}  // namespace rung
