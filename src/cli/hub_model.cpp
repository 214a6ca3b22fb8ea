#include "cli/hub_model.h"

#include <filesystem>

#include "base/environment.h"
#include "cli/arguments.h"
#include "cli/inspect.h"
#include "cli/terminal.h"
#include "files/hub/cache.h"

namespace rung {

bool is_on_hub_only(const std::string& name) {
  std::error_code ignored;
  if (!HubName::looks_like(name) || std::filesystem::exists(std::filesystem::symlink_status(name, ignored)))
    return false;
  const HubName parsed = HubName::parse(name);
  try {
    const auto snapshot = HubCache(environment().hub.cache).find(parsed);
    if (snapshot) HubCache::model_in(*snapshot, parsed);
    return !snapshot;
  } catch (const Error&) {  // no weights of it are here, or not those that are meant
    return true;
  }
}

HubModel::HubModel(const HubName& name) try {
  Hub hub(hub_settings());
  host_ = hub.host();
  repository_ = hub.repository(name);
  remote_ = std::make_unique<RemoteModel>(hub, repository_);
} catch (const UnclearChoice& e) {
  throw UsageError(e.what());
}

void HubModel::complete(OrderedJson& model) const {
  model["hub"] = {{"host", host_},
                  {"commit", repository_.commit},
                  {"download_bytes", remote_->download_bytes()},
                  {"read_bytes", remote_->read_bytes()}};
  model["format"] = fmt::format("{}, on {}: {} to bring, {} of them were read", text_in(model, "format"), host_,
                                human_bytes(remote_->download_bytes()), human_bytes(remote_->read_bytes()));
  if (!remote_->is_gguf() && repository_.find("tokenizer.json") == nullptr) {
    model["problems"].push_back(repository_.name.repository + ": holds no tokenizer.json");
  }
}

}  // namespace rung
