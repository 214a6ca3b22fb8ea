// `rung pull owner/name`: from the hub into its cache; what lies there, and in Ollama's store.
#pragma once

#include <string>

#include "base/json_fwd.h"
#include "files/hub/name.h"

namespace rung {

// Brings a model and says where it is. Throws Error, UsageError (which of several is not said), Interrupted: what came
// until then stays, and the next pull goes on from there.
void pull_from_hub(const HubName& name, bool json);

// What lies in the hub's cache: a line a model; or, as JSON, its list.
void list_hub_models();
OrderedJson hub_models_json();
void list_ollama_models();  // the same of Ollama's store
OrderedJson ollama_models_json();

void remove_from_hub_cache(const HubName& name, bool json);
void search_hub(const std::string& text, bool json);

}  // namespace rung
