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
           "prints is meant to be pasted into a report; the verdict is kept in Rung's cache folder, and --device "
           "metal\n"
           "says when there is none, or one of another GPU, system or version.\n\n";
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
      if (report.is_virtual) {
        write_out(
            "This is the GPU of a virtual machine: what passed is right here; what failed may be the virtual\n"
            "machine's, and how fast a Mac is it does not say.\n");
      }
    }
    keep_or_say(verdict);
    return report.failures() == 0 ? 0 : 1;
  }

 private:
  static std::string line_of(const MetalCheck& check) {
    const std::string found =
        check.problem.empty() ? fmt::format("{:.2g} of {:.2g}", check.distance, check.allowed) : check.problem;
    return fmt::format("  {}{:<6}{} {:<48} {}\n", check.passed() ? style().dim : style().bold,
                       check.passed() ? "ok" : "FAILED", style().reset, check.name, found);
  }

  static void keep_or_say(const OrderedJson& verdict) {
    const std::filesystem::path folder = environment().cache_folder;
    if (folder.empty()) return;
    try {
      std::filesystem::create_directories(folder);
      AtomicFile file{folder / kVerdictFile};
      file.write(verdict.dump(1) + "\n");
      file.commit();
    } catch (const std::exception& e) {
      write_error(fmt::format("rung: the verdict is not kept: {}\n", e.what()));
    }
  }

  ModelOption model_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_metal_check() { return std::make_unique<MetalCheckCommand>(); }

}  // namespace rung
