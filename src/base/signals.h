// Ctrl-C and its kin → a check between two steps of work, so that what is under way is cleaned up before the program
// ends.
#pragma once

#include <csignal>
#include <exception>
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
// ignored, those that somebody else handles stay his). Inside another one it does nothing: the outer one's note counts.
class SignalWatch {
 public:
  SignalWatch();
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  static int caught();  // the signal that came; 0: none
  static void check();  // throws Interrupted when one came; without a watch it does nothing

 private:
  std::vector<std::pair<int, struct sigaction>> former_;
};

}  // namespace rung
