#include "files/hub/hub.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

#include "base/environment.h"
#include "base/error.h"
#include "base/json.h"
#include "base/printable.h"

namespace rung {

namespace {

constexpr std::size_t kMostJsonBytes = std::size_t{32} << 20;  // a repository of 100,000 files
constexpr std::size_t kMostTokenBytes = 4096;

// As string_in (base/json.h).
std::optional<std::uint64_t> count_in(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_number_unsigned() ? std::optional(it->get<std::uint64_t>()) : std::nullopt;
}

// One of "siblings": {"rfilename", "size", "blobId", "lfs": {"sha256", "size"}}.
HubFile file_in(const Json& entry) {
  HubFile file{.name = string_in(entry, "rfilename"), .size = count_in(entry, "size").value_or(0)};
  file.etag = string_in(entry, "blobId");
  if (const auto lfs = entry.find("lfs"); lfs != entry.end() && lfs->is_object()) {
    file.etag = string_in(*lfs, "sha256");
    file.size = count_in(*lfs, "size").value_or(file.size);
  }
  if (!is_etag(file.etag) || !count_in(entry, "size")) file.etag.clear();
  return file;
}

// W/"abc" → abc
std::string plain_etag(std::string text) {
  if (text.starts_with("W/")) text.erase(0, 2);
  std::erase(text, '"');
  return text;
}

HttpSettings http_settings(const HubSettings& s) {
  return {.token = s.token,
          .token_host = s.endpoint,
          .certificates = s.certificates,
          .connect_seconds = s.connect_seconds,
          .stall_seconds = s.stall_seconds};
}

}  // namespace

HubSettings hub_settings() {
  const HubEnvironment& e = environment().hub;
  HubSettings s{.endpoint = e.endpoint, .token = e.token, .certificates = e.certificates, .cache = e.cache};
  s.offline = e.offline;
  if (s.token.empty() && !e.token_file.empty()) {
    std::ifstream file(e.token_file, std::ios::binary);
    std::string text(kMostTokenBytes, '\0');
    file.read(text.data(), kMostTokenBytes);
    text.resize(static_cast<std::size_t>(file.gcount()));
    s.token = clean_token(text);
  }
  if (s.token.find_first_of(std::string_view("\r\n\0 ", 4)) != std::string::npos)
    fail("the token for the hub holds a space or a line's end");
  return s;
}

const HubFile* HubRepository::find(std::string_view file) const {
  const auto found = std::find_if(files.begin(), files.end(), [&](const HubFile& f) { return f.name == file; });
  return found == files.end() ? nullptr : &*found;
}

bool may_help_again(const HttpAnswer& answer) {
  if (answer.is_final) return false;
  const long s = answer.status;
  return !answer.is_whole() || s == 408 || s == 429 || s == 500 || s == 502 || s == 503 || s == 504;
}

Hub::Hub(HubSettings settings) : settings_(std::move(settings)), http_(http_settings(settings_)) {
  if (settings_.offline) fail("HF_HUB_OFFLINE is set: nothing is asked of the hub");
  if (origin_of(settings_.endpoint).empty()) {
    fail("HF_ENDPOINT is '{}', expected an address such as https://huggingface.co", printable(settings_.endpoint));
  }
}

std::string Hub::host() const {
  const std::size_t begin = settings_.endpoint.find("://");
  return begin == std::string::npos ? settings_.endpoint : settings_.endpoint.substr(begin + 3);
}

std::string Hub::url_of(const HubRepository& repository, const std::string& file) const {
  std::string url = fmt::format("{}/{}/resolve/{}/", settings_.endpoint, repository.name.repository, repository.commit);
  for (std::size_t begin = 0; begin < file.size();) {  // slashes stay
    const std::size_t end = std::min(file.find('/', begin), file.size());
    url += Http::escaped(std::string_view(file).substr(begin, end - begin));
    if (end < file.size()) url += '/';
    begin = end + 1;
  }
  return url;
}

std::chrono::milliseconds Hub::wait_before(int next, const HttpAnswer& answer) const {
  constexpr int kMostSeconds = 60;
  const std::string asked = answer.header("retry-after");
  if (!asked.empty() && asked.size() <= 4 && asked.find_first_not_of("0123456789") == std::string::npos) {
    return std::chrono::seconds(std::min(std::stoi(asked), kMostSeconds));
  }
  return settings_.first_wait * (1 << std::min(next - 2, 5));
}

void Hub::wait(std::chrono::milliseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  for (auto left = time; left.count() > 0;) {
    http_.step(static_cast<int>(std::min<std::chrono::milliseconds::rep>(left.count(), 100)));
    left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
  }
}

HttpAnswer Hub::ask(const HttpRequest& request, std::string& body, std::size_t limit) {
  for (int next = 2;; ++next) {
    HttpAnswer answer = http_.get(request, body, limit);
    if (!may_help_again(answer) || next > std::min(settings_.tries, 3)) return answer;
    wait(wait_before(next, answer));
  }
}

HubRepository Hub::repository(const HubName& name) {
  const std::string url = fmt::format("{}/api/models/{}/revision/{}?blobs=true", settings_.endpoint, name.repository,
                                      Http::escaped(name.revision));
  std::string body;
  const HttpAnswer answer = ask({.url = url}, body, kMostJsonBytes);
  if (!answer.is_good()) explain(name, "", answer);
  const std::string where = fmt::format("{}: the answer of {}", name.repository, host());
  const Json json = parse_json(body, where);
  HubRepository repository{.name = name, .commit = json.is_object() ? string_in(json, "sha") : "", .files = {}};
  if (!is_commit(repository.commit)) {
    fail("{} names the commit '{}', expected 40 hex digits: is there a hub?", where, printable(repository.commit));
  }
  const auto siblings = json.find("siblings");
  if (siblings == json.end() || !siblings->is_array()) fail("{} has no list 'siblings': is there a hub?", where);
  for (const Json& entry : *siblings) {
    if (entry.is_object()) repository.files.push_back(file_in(entry));
  }
  return repository;
}

std::string Hub::read(const HubRepository& repository, const std::string& file, std::uint64_t first,
                      std::size_t count) {
  if (count == 0) return {};
  std::string body;
  const HttpRequest request{.url = url_of(repository, file), .first = first, .last = first + count - 1};
  const HttpAnswer answer = ask(request, body, count);
  // a server that knows no ranges answers 200, from the first byte on: as good, where that is where we begin
  const bool is_part =
      answer.status == 206 && answer.header("content-range").starts_with(fmt::format("bytes {}-", first));
  const bool begins = answer.status == 200 && first == 0;
  if ((is_part && answer.is_whole()) || (begins && (answer.is_whole() || body.size() == count))) return body;
  if (answer.status == 416) return {};
  if (answer.is_good() || answer.status == 206 || answer.status == 200) {
    fail("{}: {} sends no part of {} that was asked for", repository.name.repository, host(), printable(file));
  }
  explain(repository.name, file, answer);
}

HubFile Hub::described(const HubRepository& repository, const std::string& file) {
  std::string body;
  const HttpAnswer answer = ask({.url = url_of(repository, file), .head = true, .stays = true}, body, 0);
  const bool redirects = answer.status >= 300 && answer.status < 400;
  if (!answer.is_whole() || !(answer.is_good() || redirects)) explain(repository.name, file, answer);
  const auto first_of = [&](const char* linked, const char* own) {
    const std::string value = answer.header(linked);
    return value.empty() && !redirects ? answer.header(own) : value;
  };
  const std::string size = first_of("x-linked-size", "content-length");
  HubFile described{.name = file, .etag = plain_etag(first_of("x-linked-etag", "etag"))};
  if (!is_etag(described.etag) || size.empty() || size.size() > 18 ||
      size.find_first_not_of("0123456789") != std::string::npos) {
    fail("{}: {} does not say size and hash of {}: is there a hub?", repository.name.repository, host(),
         printable(file));
  }
  described.size = std::stoull(size);
  return described;
}

std::vector<HubFound> Hub::search(std::string_view text, std::size_t most) {
  const std::string url = fmt::format("{}/api/models?search={}&sort=downloads&direction=-1&limit={}",
                                      settings_.endpoint, Http::escaped(text), most);
  std::string body;
  const HttpAnswer answer = ask({.url = url}, body, kMostJsonBytes);
  if (!answer.is_good()) explain({}, "", answer);
  const std::string where = fmt::format("the answer of {}", host());
  const Json json = parse_json(body, where);
  if (!json.is_array()) fail("{} is {}, expected a list of models: is there a hub?", where, json.type_name());
  std::vector<HubFound> found;
  for (const Json& entry : json) {
    if (!entry.is_object() || !is_repository(string_in(entry, "id"))) continue;
    HubFound one{.repository = string_in(entry, "id"),
                 .downloads = count_in(entry, "downloads").value_or(0),
                 .likes = count_in(entry, "likes").value_or(0)};
    const auto tags = entry.find("tags");
    for (const Json& tag : tags != entry.end() && tags->is_array() ? *tags : Json::array()) {
      one.safetensors |= tag == "safetensors";
      one.gguf |= tag == "gguf";
    }
    found.push_back(std::move(one));
  }
  return found;
}

void Hub::explain(const HubName& name, std::string_view file, const HttpAnswer& answer) const {
  const std::string what = name.repository.empty() ? "the hub" : name.repository;
  const std::string code = answer.header("x-error-code"), said = answer.header("x-error-message");
  const bool has_token = !settings_.token.empty();
  if (answer.is_final) fail("{}: {}", what, answer.problem);
  if (answer.status == 0) fail("{}: {} cannot be reached: {} (is there a network?)", what, host(), answer.problem);
  if (!answer.is_whole()) fail("{}: {} stopped in the middle: {}", what, host(), answer.problem);
  if (code == "RevisionNotFound") fail("{}: has no revision '{}'", what, printable(name.revision));
  if (code == "EntryNotFound") fail("{}: holds no {}", what, printable(file));
  if (code == "GatedRepo") {
    fail("{}: is for those who accept its terms: do so at {}/{}, then {}", what, settings_.endpoint, what,
         has_token ? "try again, with a token that may read it" : "say who you are: HF_TOKEN, or `hf auth login`");
  }
  if (said == "Access to this resource is disabled.") fail("{}: the hub has disabled it", what);
  if (answer.status == 401 && has_token && code.empty()) fail("{}: {} does not accept your token", what, host());
  if (code == "RepoNotFound" || answer.status == 401) {
    fail("{}: not on {}, or private{}", what, host(),
         has_token ? " and not for the owner of this token" : " (what is yours, HF_TOKEN or `hf auth login` shows)");
  }
  if (answer.status == 403) {
    fail("{}: {} does not allow it{}", what, host(), said.empty() ? "" : ": " + printable(said));
  }
  if (answer.status == 429) fail("{}: {} asks for patience: too many requests; try again later", what, host());
  fail("{}: {} answers with status {}{}", what, host(), answer.status, said.empty() ? "" : ": " + printable(said));
}

}  // namespace rung
