// a command → its exit status and what it said.  Signals that end a program are noticed, so that what is under way is
// cleaned up first.
#pragma once

#include <csignal>
#include <exception>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace rung {

// Ctrl-C, or another signal that ends a program, came. The exit status is 128 + signal(): 130 for Ctrl-C.
class Interrupted : public std::exception {
 public:
  explicit Interrupted(int signal) : signal_(signal) {}
  int signal() const { return signal_; }
  const char* what() const noexcept override { return "interrupted"; }

 private:
  int signal_;
};

// While it lives, SIGINT, SIGTERM and SIGHUP are noted instead of ending the program (those that are ignored stay
// ignored). One at a time.
class SignalWatch {
 public:
  SignalWatch();
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  static int caught();  // the signal that came; 0: none
  static void check();  // throws Interrupted when one came

 private:
  std::vector<std::pair<int, struct sigaction>> former_;
};

struct ChildResult {
  int status = 0;      // what it exited with, or 128 + the signal that ended it
  std::string output;  // stdout
  std::string errors;  // stderr
};

// Runs `arguments` in `folder`, which is also its folder for temporary files. The program is looked up in PATH, no
// shell reads the arguments, stdin is empty. `tick` is called about ten times a second. Under a SignalWatch, a signal
// ends the child, then Interrupted is thrown. Throws Error when the program cannot be started.
ChildResult run_child(const std::vector<std::string>& arguments, const std::filesystem::path& folder,
                      const std::function<void()>& tick);

}  // namespace rung
