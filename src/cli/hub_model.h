// A model on the hub that nobody has brought yet, for `rung inspect`.
#pragma once

#include <memory>
#include <string>

#include "base/json_fwd.h"
#include "engine/model_files.h"
#include "files/hub/remote_model.h"

namespace rung {

// Does the name mean a model that is not here, and that the hub may have?
bool is_on_hub_only(const std::string& name);

class HubModel {
 public:
  explicit HubModel(const HubName& name);  // reads the headers. Throws Error, UsageError, Interrupted

  ModelFiles files() const { return ModelFiles::in_memory(remote_->name(), remote_->files()); }  // this outlives it
  // Adds to a description where it came from, and what of the model was not looked at.
  void complete(OrderedJson& model) const;

 private:
  HubRepository repository_;
  std::string host_;
  std::unique_ptr<RemoteModel> remote_;
};

}  // namespace rung
