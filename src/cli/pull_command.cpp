// `rung pull`: see cli/pull.h.
#include "cli/command.h"
#include "cli/pull.h"

namespace rung {

namespace {

class Pull : public Command {
 public:
  const char* name() const override { return "pull"; }
  const char* summary() const override { return "bring a model by name"; }
  const char* example() const override { return "rung pull --list"; }

  void add_options(Options& options) override {
    options.add("names", options_.names, "the models to bring").type_name("NAME");
    options.add("--list", options_.list, "which names there are, and which of them are here");
    options.add("--json", options_.json, "one JSON object");
  }

  int run() override {
    if (options_.names.empty() && !options_.list) throw UsageError("which model? (rung pull --list shows the names)");
    return run_pull(options_);
  }

 private:
  PullOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_pull() { return std::make_unique<Pull>(); }

}  // namespace rung
