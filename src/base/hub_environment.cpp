#include "base/hub_environment.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <string_view>

namespace rung {

namespace {

// The functions of Python's os.path that decide where things lie.

std::string home_of(const Variables& variables, std::string_view user) {
  if (user.empty()) {
    if (const auto home = variables("HOME")) return *home;
  }
#ifndef __EMSCRIPTEN__  // a page has no users
  const passwd* entry = user.empty() ? ::getpwuid(::getuid()) : ::getpwnam(std::string(user).c_str());
  if (entry != nullptr && entry->pw_dir != nullptr) return entry->pw_dir;
#endif
  return fmt::format("~{}", user);
}

std::string expanduser(const std::string& path, const Variables& variables) {
  if (!path.starts_with("~")) return path;
  const std::size_t end = std::min(path.find('/'), path.size());
  std::string home = home_of(variables, std::string_view(path).substr(1, end - 1));
  while (home.ends_with("/")) home.pop_back();
  home += path.substr(end);
  return home.empty() ? "/" : home;
}

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// $NAME and ${NAME}; what is not set stays as it is written.
std::string expandvars(const std::string& path, const Variables& variables) {
  std::string out;
  for (std::size_t i = 0; i < path.size();) {
    std::size_t end = i + 1;
    std::string name;
    if (path[i] == '$' && end < path.size() && path[end] == '{') {
      const std::size_t close = path.find('}', end);
      if (close != std::string::npos) {
        name = path.substr(end + 1, close - end - 1);
        end = close + 1;
      }
    } else if (path[i] == '$') {
      while (end < path.size() && is_word(path[end])) ++end;
      name = path.substr(i + 1, end - i - 1);
    }
    const auto value = name.empty() ? std::nullopt : variables(name.c_str());
    out += value ? *value : path.substr(i, end - i);
    i = end;
  }
  return out;
}

std::string join(const std::string& a, const std::string& b) {
  if (b.starts_with("/")) return b;
  return a.empty() || a.ends_with("/") ? a + b : a + "/" + b;
}

bool is_true(std::string value) {
  for (char& c : value) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return value == "1" || value == "ON" || value == "YES" || value == "TRUE";
}

}  // namespace

std::string clean_token(std::string token) {
  std::erase_if(token, [](char c) { return c == '\r' || c == '\n'; });
  const auto is_space = [](unsigned char c) { return std::isspace(c) != 0; };
  token.erase(token.begin(), std::find_if_not(token.begin(), token.end(), is_space));
  token.erase(std::find_if_not(token.rbegin(), token.rend(), is_space).base(), token.end());
  return token;
}

HubEnvironment hub_environment(const Variables& variables) {
  const auto get = [&](const char* name, const std::string& otherwise) { return variables(name).value_or(otherwise); };
  const auto expand = [&](const std::string& path) { return expandvars(expanduser(path, variables), variables); };
  const auto first_that_says_something = [&](const char* first, const char* second) {
    const std::string value = get(first, "");
    return value.empty() ? get(second, "") : value;
  };
  HubEnvironment e;
  e.endpoint = get("HF_ENDPOINT", "https://huggingface.co");
  while (e.endpoint.ends_with("/")) e.endpoint.pop_back();
  const std::string caches = get("XDG_CACHE_HOME", join(expanduser("~", variables), ".cache"));
  const std::string home = expand(get("HF_HOME", join(caches, "huggingface")));
  e.cache = expand(get("HF_HUB_CACHE", get("HUGGINGFACE_HUB_CACHE", join(home, "hub"))));
  e.token_file = expand(get("HF_TOKEN_PATH", join(home, "token")));
  if (!is_true(get("HF_HUB_DISABLE_IMPLICIT_TOKEN", ""))) {
    e.token = clean_token(first_that_says_something("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"));
  } else {
    e.token_file.clear();
  }
  e.offline = is_true(first_that_says_something("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"));
  e.certificates = get("SSL_CERT_FILE", "");
  return e;
}

std::vector<std::filesystem::path> ollama_folders(const Variables& variables) {
  if (const auto models = variables("OLLAMA_MODELS"); models && !models->empty()) return {*models};
  return {expanduser("~/.ollama/models", variables), "/usr/share/ollama/.ollama/models"};
}

}  // namespace rung
