#include "cli/pull_hub.h"

#include <chrono>
#include <cmath>
#include <utility>

#include "base/clock.h"
#include "base/environment.h"
#include "base/signals.h"
#include "cli/arguments.h"
#include "cli/pieces.h"
#include "cli/terminal.h"
#include "files/hub/ollama.h"
#include "files/hub/pull.h"

namespace rung {

namespace {

std::string human_time(double seconds) {
  const auto whole = static_cast<std::uint64_t>(std::ceil(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
}

// On a terminal a line that moves; elsewhere a line for each file.
class PullProgress : public PullListener {
 public:
  PullProgress(const HubName& name, bool json)
      : name_(name), shows_files_(!json && !stderr_is_terminal()), bar_("bringing " + name.text()) {}

  void begin(std::size_t files, std::uint64_t total, std::uint64_t here) override {
    total_ = total;
    last_bytes_ = here;
    if (here == total) return;
    const std::string known = here == 0 ? "" : fmt::format(", {} of them here", human_bytes(here));
    if (shows_files_) {
      write_error(
          fmt::format("bringing {}: {}, {}{}\n", name_.text(), count_of(files, "file"), human_bytes(total), known));
    }
  }

  void at(std::uint64_t bytes) override {
    const auto now = Clock::now();
    const double seconds = std::chrono::duration<double>(now - last_).count();
    if (seconds < 0.5) return;
    const double rate = static_cast<double>(bytes - std::min(bytes, last_bytes_)) / seconds;
    rate_ = rate_ < kSlow ? rate : 0.8 * rate_ + 0.2 * rate;  // of the last few seconds in which something came
    last_ = now;
    last_bytes_ = bytes;
    std::string text = fmt::format("{} of {}, {}/s", human_bytes(bytes), human_bytes(total_),
                                   human_bytes(static_cast<std::uint64_t>(rate_)));
    if (rate_ >= kSlow) {
      text += ", " + human_time(static_cast<double>(total_ - std::min(bytes, total_)) / rate_) + " left";
    }
    bar_.show(text, true);
  }

  void file(const HubFile& file) override {
    if (shows_files_) write_error(fmt::format("  {}  {}\n", visible(file.name), human_bytes(file.size)));
  }

  void waits(const std::string& why) override {
    bar_.hide();
    write_error(fmt::format("rung: waiting: {}\n", visible(why)));
  }

 private:
  const HubName name_;
  const bool shows_files_;
  Progress bar_;
  std::uint64_t total_ = 0, last_bytes_ = 0;
  Clock::time_point last_ = Clock::now();
  static constexpr double kSlow = 1000;  // bytes a second: below it nobody can say how long the rest will take
  double rate_ = 0;
};

HubCache hub_cache() { return HubCache(environment().hub.cache); }

// "Q4_K_M, Q8_0" or "safetensors"
std::string kinds_of(const HubSnapshot& snapshot) {
  const HubRepository files{.name = {}, .commit = snapshot.commit, .files = snapshot.files};
  std::string kinds = has_safetensors(files) ? "safetensors" : "";
  for (const GgufModel& m : gguf_models(snapshot.files)) kinds += (kinds.empty() ? ":" : ", :") + m.quantization;
  return kinds.empty() ? "no weights" : kinds;
}

std::string name_with_revision(const CachedRepository& repository, const HubSnapshot& snapshot) {
  const std::string revision = snapshot.refs.empty() ? snapshot.commit : snapshot.refs.front();
  return HubName{.repository = repository.name, .revision = revision}.text();
}

}  // namespace

void pull_from_hub(const HubName& name, bool json) try {
  const SignalWatch watch;
  const HubSettings settings = hub_settings();
  Hub hub(settings);
  std::optional<PullProgress> progress(std::in_place, name, json);
  const PulledModel pulled = pull(hub, HubCache(settings.cache), name, *progress);
  progress.reset();
  std::uint64_t bytes = 0;
  for (const HubFile& f : pulled.files) bytes += f.size;
  if (!json) return write_out(fmt::format("{}: {} ({})\n", name.text(), pulled.path.string(), human_bytes(bytes)));
  OrderedJson files = OrderedJson::array();
  for (const HubFile& f : pulled.files) files.push_back({{"name", f.name}, {"bytes", f.size}, {"hash", f.etag}});
  write_line({{"name", name.text()},
              {"commit", pulled.repository.commit},
              {"bytes", bytes},
              {"brought", pulled.brought},
              {"path", pulled.path.string()},
              {"files", std::move(files)}});
} catch (const UnclearChoice& e) {
  throw UsageError(e.what());
}

OrderedJson hub_models_json() {
  OrderedJson models = OrderedJson::array();
  for (const CachedRepository& repository : hub_cache().list()) {
    for (const HubSnapshot& snapshot : repository.snapshots) {
      models.push_back({{"name", name_with_revision(repository, snapshot)},
                        {"commit", snapshot.commit},
                        {"kinds", kinds_of(snapshot)},
                        {"bytes", repository.bytes},
                        {"path", snapshot.folder.string()}});
    }
  }
  return models;
}

void list_hub_models() {
  for (const CachedRepository& repository : hub_cache().list()) {
    for (const HubSnapshot& snapshot : repository.snapshots) {
      write_out(fmt::format("{:<42} {:>8}  {}\n", visible(name_with_revision(repository, snapshot)),
                            human_bytes(repository.bytes), visible(kinds_of(snapshot))));
    }
  }
}

OrderedJson ollama_models_json() {
  OrderedJson models = OrderedJson::array();
  for (const OllamaStore::Listed& m : OllamaStore(environment().ollama_folders).list()) {
    models.push_back({{"name", "ollama:" + m.name}, {"bytes", m.bytes}, {"path", m.folder.string()}});
  }
  return models;
}

void list_ollama_models() {
  for (const OllamaStore::Listed& m : OllamaStore(environment().ollama_folders).list()) {
    write_out(
        fmt::format("{:<42} {:>8}  in {}\n", "ollama:" + visible(m.name), human_bytes(m.bytes), m.folder.string()));
  }
}

void remove_from_hub_cache(const HubName& name, bool json) {
  if (name.revision != "main" || !name.quantization.empty()) {
    throw UsageError(fmt::format("--remove takes a whole repository: {}", name.repository));
  }
  const std::uint64_t freed = hub_cache().remove(name);
  if (json) {
    write_line({{"removed", name.repository}, {"freed", freed}});
  } else {
    write_out(fmt::format("{}: removed, {} are free again\n", name.repository, human_bytes(freed)));
  }
}

void search_hub(const std::string& text, bool json) {
  constexpr std::size_t kMost = 20;
  const SignalWatch watch;
  Hub hub(hub_settings());
  OrderedJson models = OrderedJson::array();
  const std::vector<HubFound> found = hub.search(text, kMost);
  for (const HubFound& f : found) {
    const std::string kinds = fmt::format("{}{}{}", f.safetensors ? "safetensors" : "",
                                          f.safetensors && f.gguf ? ", " : "", f.gguf ? "GGUF" : "");
    if (json) {
      models.push_back({{"name", f.repository},
                        {"downloads", f.downloads},
                        {"likes", f.likes},
                        {"safetensors", f.safetensors},
                        {"gguf", f.gguf}});
    } else {
      write_out(fmt::format("{:<56} {:>11} downloads  {}\n", f.repository, f.downloads,
                            kinds.empty() ? "neither safetensors nor GGUF" : kinds));
    }
  }
  if (json) write_line({{"models", std::move(models)}});
  if (!json && found.empty()) write_out(fmt::format("nothing on {} is called '{}'\n", hub.host(), visible(text)));
}

}  // namespace rung
