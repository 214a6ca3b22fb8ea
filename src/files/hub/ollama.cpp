#include "files/hub/ollama.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>

#include "base/error.h"
#include "base/json.h"
#include "base/mapped_file.h"
#include "base/printable.h"
#include "files/hub/name.h"

namespace rung {

namespace fs = std::filesystem;

namespace {

constexpr const char* kHost = "registry.ollama.ai";
constexpr const char* kNamespace = "library";
constexpr std::size_t kMostManifestBytes = 1 << 20;
constexpr std::size_t kMostTextBytes = 16 << 20;

struct Name {
  std::string host = kHost, space = kNamespace, model, tag = "latest";
};

// One part of such a name: it becomes a part of a path.
void require_part(const std::string& part, std::string_view name) {
  const bool plain = !part.empty() && part.size() <= 128 && part.front() != '.' && part.front() != '-' &&
                     std::all_of(part.begin(), part.end(), [](unsigned char c) {
                       return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.' || c == ':';
                     });
  if (!plain) {
    fail("'ollama:{}' is no name of Ollama's: expected [host/][namespace/]name[:tag]", printable(name));
  }
}

Name parse(std::string_view text) {
  Name name;
  std::string_view rest = text;
  const std::size_t slash = rest.rfind('/');
  if (const std::size_t colon = rest.rfind(':'); colon != rest.npos && (slash == rest.npos || colon > slash)) {
    name.tag = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
  }
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= rest.size();) {
    const std::size_t end = std::min(rest.find('/', begin), rest.size());
    parts.emplace_back(rest.substr(begin, end - begin));
    begin = end + 1;
  }
  if (parts.size() > 3) parts.assign(1, "");  // is refused below
  name.model = parts.back();
  if (parts.size() >= 2) name.space = parts[parts.size() - 2];
  if (parts.size() == 3) name.host = parts.front();
  for (const std::string& part : {name.host, name.space, name.model, name.tag}) require_part(part, text);
  return name;
}

std::string text_of(const fs::path& path, std::size_t most) {
  const MappedFile file(path);
  if (file.bytes().size() > most) {
    fail("{}: has {} bytes, expected at most {}", path.string(), file.bytes().size(), most);
  }
  return std::string(file.text());
}

// "sha256:ABCD…" → blobs/sha256-ABCD…
fs::path blob(const fs::path& folder, const std::string& digest, const fs::path& manifest) {
  constexpr std::string_view kind = "sha256:";
  if (!digest.starts_with(kind) || digest.size() != kind.size() + 64 || !is_etag(digest.substr(kind.size()))) {
    fail("{}: names the layer '{}', expected sha256: and 64 hex digits", manifest.string(), printable(digest));
  }
  return folder / "blobs" / ("sha256-" + digest.substr(kind.size()));
}

Json layers_in(const fs::path& manifest) {
  const Json json = parse_json(text_of(manifest, kMostManifestBytes), manifest.string());
  const auto layers = json.is_object() ? json.find("layers") : json.end();
  if (layers == json.end() || !layers->is_array()) fail("{}: has no list 'layers'", manifest.string());
  return *layers;
}

OllamaModel read(const fs::path& folder, const fs::path& manifest) {
  OllamaModel model{.model = {}, .manifest = manifest};
  for (const Json& layer : layers_in(manifest)) {
    if (!layer.is_object()) continue;
    std::string kind = string_in(layer, "mediaType");
    kind.erase(0, kind.rfind('.') + 1);  // application/vnd.ollama.image.model
    const auto path = [&] { return blob(folder, string_in(layer, "digest"), manifest); };
    if (kind == "model") {
      model.model = path();
    } else if (kind == "system") {
      model.system = text_of(path(), kMostTextBytes);
    } else if (kind == "params") {
      model.parameters = text_of(path(), kMostTextBytes);
    } else if (kind == "projector" || kind == "adapter") {
      model.left_out.push_back(kind);
    }
  }
  if (model.model.empty()) fail("{}: names no model among its layers", manifest.string());
  return model;
}

std::string joined(const std::vector<fs::path>& folders) {
  std::string text;
  for (const fs::path& folder : folders) text += (text.empty() ? "" : ", ") + folder.string();
  return text;
}

}  // namespace

OllamaModel OllamaStore::find(std::string_view text) const {
  const Name name = parse(text);
  for (const fs::path& folder : folders_) {
    const fs::path manifest = folder / "manifests" / name.host / name.space / name.model / name.tag;
    std::error_code error;
    if (fs::exists(manifest, error)) return read(folder, manifest);
    if (error == std::errc::permission_denied) {
      fail("{}: may not be read by you: the store of Ollama's service is for its own user", manifest.string());
    }
  }
  fail("ollama:{}: no such model in {} (ollama pull {} brings it)", printable(text), joined(folders_), printable(text));
}

std::vector<OllamaStore::Listed> OllamaStore::list() const {
  std::vector<Listed> all;
  for (const fs::path& folder : folders_) {
    const fs::path manifests = folder / "manifests";
    std::error_code error;
    for (fs::recursive_directory_iterator it(manifests, error), end; !error && it != end; it.increment(error)) {
      std::error_code ignored;
      if (!it->is_regular_file(ignored)) continue;
      std::vector<std::string> parts;
      for (const fs::path& part : it->path().lexically_relative(manifests)) parts.push_back(part.string());
      if (parts.size() != 4) continue;
      std::string name = parts[2] + ":" + parts[3];
      if (parts[0] != kHost || parts[1] != kNamespace) name = parts[1] + "/" + name;
      if (parts[0] != kHost) name = parts[0] + "/" + name;
      try {
        const OllamaModel model = read(folder, it->path());
        all.push_back({std::move(name), fs::file_size(model.model, ignored), folder});
        if (ignored) all.pop_back();  // a layer that is not there
      } catch (const Error&) {
        continue;
      }
    }
  }
  std::sort(all.begin(), all.end(), [](const Listed& a, const Listed& b) { return a.name < b.name; });
  return all;
}

}  // namespace rung
