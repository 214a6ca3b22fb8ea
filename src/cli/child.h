// A command → its exit status and what it said.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace rung {

struct ChildResult {
  int status = 0;      // what it exited with, or 128 + the signal that ended it
  std::string output;  // stdout
  std::string errors;  // stderr
};

enum class ChildOutput { caught, ours };  // ours: its stdout is this program's

// Runs `arguments` in `folder`, which is also its folder for temporary files. The program is looked up in PATH, no
// shell reads the arguments, stdin is empty. `tick` is called about ten times a second. Under a SignalWatch, a signal
// ends the child, then Interrupted is thrown. Throws Error when the program cannot be started.
ChildResult run_child(const std::vector<std::string>& arguments, const std::filesystem::path& folder,
                      const std::function<void()>& tick, ChildOutput output = ChildOutput::caught);

// The path of this program, to start it again.
std::filesystem::path this_program();

}  // namespace rung
