#include "cli/model_name.h"

#include <filesystem>

#include "base/environment.h"
#include "base/error.h"
#include "base/signals.h"
#include "cli/arguments.h"
#include "cli/pull.h"
#include "cli/terminal.h"
#include "files/hub/ollama.h"
#include "files/hub/pull.h"

namespace rung {

namespace {

// ", 1.2 GB" where the hub says so at once; nothing where it does not.
std::string size_on_hub(const HubName& name) try {
  const SignalWatch watch;
  HubSettings settings = hub_settings();
  settings.tries = 1;
  settings.connect_seconds = settings.stall_seconds = 3;
  Hub hub(settings);
  std::uint64_t bytes = 0;
  for (const HubFile& f : files_of_model(hub, hub.repository(name))) bytes += f.size;
  return ", " + human_bytes(bytes);
} catch (const UnclearChoice&) {
  return ", which says what there is to choose from";
} catch (const Error&) {
  return "";
}

std::filesystem::path find_on_hub(const HubName& name) try {
  const HubCache cache(environment().hub.cache);
  if (const auto snapshot = cache.find(name)) return HubCache::model_in(*snapshot, name);
  fail("model {} is not here yet: bring it with: rung pull {}{}", name.text(), name.text(), size_on_hub(name));
} catch (const UnclearChoice& e) {
  throw UsageError(e.what());
}

ModelFiles open_from_ollama(std::string_view name) {
  OllamaModel found = OllamaStore(environment().ollama_folders).find(name);
  for (const std::string& layer : found.left_out) {
    write_error(fmt::format("rung: ollama:{}: left out: its {}\n", visible(name), layer));
  }
  ModelFiles files = ModelFiles::open(found.model);
  files.set_beside({.where = "ollama:" + std::string(name),
                    .system = std::move(found.system),
                    .parameters = std::move(found.parameters)});
  return files;
}

}  // namespace

ModelFiles open_model(const std::string& name) {
  std::error_code ignored;
  if (std::filesystem::exists(std::filesystem::symlink_status(name, ignored))) return ModelFiles::open(name);
  for (const PullSource& source : pull_sources()) {
    if (name != source.name) continue;
    if (const auto path = pulled(name)) return ModelFiles::open(*path);
    fail("model '{}' is not here yet: bring it with: rung pull {}", name, name);
  }
  constexpr std::string_view kOllama = "ollama:";
  if (name.starts_with(kOllama)) return open_from_ollama(std::string_view(name).substr(kOllama.size()));
  if (HubName::looks_like(name)) return ModelFiles::open(find_on_hub(HubName::parse(name)));
  fail("{}: no such file or folder, and no model of this name can be pulled (rung pull --list)", name);
}

}  // namespace rung
