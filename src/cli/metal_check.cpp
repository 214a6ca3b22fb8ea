// `rung metal-check`: is what this machine's GPU computes what it should be?  Milestone M7.
#include <fmt/format.h>

#include "base/atomic_file.h"
#include "base/environment.h"
#include "base/json.h"
#include "cli/command.h"
#include "cli/terminal.h"
#include "measure/metal_check.h"

namespace rung {

namespace {

class MetalCheckCommand : public Command {
 public:
  const char* name() const override { return "metal-check"; }
  const char* summary() const override { return "does a Mac's GPU compute what it should?"; }
  const char* example() const override { return "rung metal-check"; }
  const char* details() const override {
    return "Every kernel beside the reference backend, the same token alone and in company, and a model's words. What "
           "it\n"
           "prints is meant to be pasted into a report; the verdict is kept in Rung's cache folder, for this GPU, "
           "system\n"
           "and version.\n\n";
  }

  void add_options(Options& options) override {
    model_.add(options);
    options.add("--json", json_, "one JSON object");
  }

  int run() override {
    MetalReport report = check_metal(model_.load(), [&](const MetalCheck& check) {
      if (!json_) write_out(line_of(check));
    });
    const OrderedJson verdict = json_of(report);
    if (json_) {
      write_line(verdict);
    } else {
      write_out(fmt::format("{}, {}, Rung {}: {} of {} checks passed\n", report.gpu, report.system, RUNG_VERSION,
                            report.checks.size() - report.failures(), report.checks.size()));
    }
    keep(verdict);
    return report.failures() == 0 ? 0 : 1;
  }

 private:
  static std::string line_of(const MetalCheck& check) {
    return fmt::format("  {}{:<6}{} {:<48} {:.2g} of {:.2g}\n", check.passed() ? style().dim : style().bold,
                       check.passed() ? "ok" : "FAILED", style().reset, check.name, check.distance, check.allowed);
  }

  static OrderedJson json_of(const MetalReport& report) {
    OrderedJson json{{"gpu", report.gpu}, {"system", report.system}, {"rung", RUNG_VERSION}};
    json["passed"] = report.failures() == 0;
    json["checks"] = OrderedJson::array();
    for (const MetalCheck& check : report.checks) {
      json["checks"].push_back(
          {{"name", check.name}, {"passed", check.passed()}, {"distance", check.distance}, {"allowed", check.allowed}});
    }
    return json;
  }

  static void keep(const OrderedJson& verdict) {
    const std::filesystem::path folder = environment().cache_folder;
    if (folder.empty()) return;
    std::filesystem::create_directories(folder);
    AtomicFile file{folder / "metal-check.json"};
    file.write(verdict.dump(1) + "\n");
    file.commit();
  }

  ModelOption model_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_metal_check() { return std::make_unique<MetalCheckCommand>(); }

}  // namespace rung
