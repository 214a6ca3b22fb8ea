#include "files/hub/name.h"

#include <algorithm>

#include "base/error.h"
#include "base/printable.h"
#include "base/utf8.h"

namespace rung {

namespace {

bool is_hex(std::string_view text) { return text.find_first_not_of("0123456789abcdef") == text.npos; }

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

// The parts between slashes: none empty, none that leads elsewhere.
bool are_parts(std::string_view text) {
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('/', begin), text.size());
    const std::string_view part = text.substr(begin, end - begin);
    if (part.empty() || part == "." || part == ".." || part.size() > 255) return false;
    begin = end + 1;
  }
  return true;
}

// huggingface_hub's REPO_ID_REGEX: word boundaries at both ends.
bool is_half(std::string_view text) {
  const auto is_word = [](char c) { return is_letter(c) || c == '_'; };
  return !text.empty() && text.size() <= 96 && is_word(text.front()) && is_word(text.back()) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return is_word(c) || c == '-' || c == '.'; });
}

}  // namespace

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool is_commit(std::string_view text) { return text.size() == 40 && is_hex(text); }

bool is_etag(std::string_view text) { return (text.size() == 40 || text.size() == 64) && is_hex(text); }

bool is_revision(std::string_view text) {
  return text.size() <= 255 && are_parts(text) && !has_control(text) && !find_invalid_utf8(text) &&
         text.find_first_of("\\:~^?*[ ") == text.npos && text.find("..") == text.npos;  // git check-ref-format(1)
}

bool is_file_name(std::string_view text) {
  return text.size() <= 1024 && are_parts(text) && !has_control(text) && !find_invalid_utf8(text) &&
         text.find_first_of("\\:") == text.npos;
}

bool is_repository(std::string_view text) {
  const std::size_t slash = text.find('/');
  return slash != text.npos && is_half(text.substr(0, slash)) && is_half(text.substr(slash + 1)) &&
         text.find("--") == text.npos && text.find("..") == text.npos && !text.ends_with(".git");
}

bool HubName::looks_like(std::string_view text) {
  const std::string_view repository = text.substr(0, text.find_first_of("@:"));
  const std::size_t slash = repository.find('/');
  return slash != text.npos && repository.find('/', slash + 1) == text.npos && is_half(repository.substr(0, slash)) &&
         is_half(repository.substr(slash + 1));
}

HubName HubName::parse(std::string_view text) {
  HubName name;
  std::string_view rest = text;
  if (const std::size_t colon = rest.find(':'); colon != rest.npos) {
    name.quantization = rest.substr(colon + 1);
    if (name.quantization.empty() || !is_file_name(name.quantization)) {
      fail("'{}': found '{}' after the colon, expected a quantization, such as Q4_K_M", printable(text),
           printable(name.quantization));
    }
    rest = rest.substr(0, colon);
  }
  if (const std::size_t at = rest.find('@'); at != rest.npos) {
    name.revision = rest.substr(at + 1);
    if (!is_revision(name.revision)) {
      fail("'{}': found '{}' after the @, expected a branch, a tag or a commit", printable(text),
           printable(name.revision));
    }
    rest = rest.substr(0, at);
  }
  name.repository = rest;
  if (!is_repository(rest)) {
    fail("'{}' is no name of the hub's: expected owner/name, of letters, digits, '-', '_' and '.'", printable(text));
  }
  return name;
}

std::string HubName::text() const {
  std::string out = repository;
  if (revision != "main") out += "@" + revision;
  if (!quantization.empty()) out += ":" + quantization;
  return out;
}

std::string HubName::folder() const {
  const std::size_t slash = repository.find('/');
  return "models--" + repository.substr(0, slash) + "--" + repository.substr(slash + 1);
}

}  // namespace rung
