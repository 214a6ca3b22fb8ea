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

struct ChildOptions {
  bool catches_output = true;  // false: its stdout is this program's
  // What it has started ends with it (all of its process group; who opens a session of his own, as setsid() does,
  // escapes). Then a terminal's Ctrl-C reaches it through a SignalWatch alone.
  bool ends_group = false;
};

// Runs `arguments` in `folder`, which is also its folder for temporary files. The program is looked up in PATH, no
// shell reads the arguments, stdin is empty. `tick` is called about ten times a second. Under a SignalWatch, a signal
// ends the child, then Interrupted is thrown. Throws Error when the program cannot be started.
ChildResult run_child(const std::vector<std::string>& arguments, const std::filesystem::path& folder,
                      const std::function<void()>& tick, const ChildOptions& options = {});

// The path of this program, to start it again.
std::filesystem::path this_program();

}  // namespace rung
