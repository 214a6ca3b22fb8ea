#include "base/signals.h"

#include <atomic>

namespace rung {
namespace {

// A handler may interrupt any instruction, even inside malloc, so it does nothing but write one variable of this type.
volatile std::sig_atomic_t caught_signal = 0;

void note(int signal) { caught_signal = signal; }

std::atomic<int> watches = 0;

}  // namespace

SignalWatch::SignalWatch() {
  if (watches++ > 0) return;
  caught_signal = 0;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction former{};
    sigaction(signal, nullptr, &former);
    if (former.sa_handler != SIG_DFL) continue;
    struct sigaction ours{};  // without SA_RESTART: a call that waits returns with EINTR
    ours.sa_handler = note;
    sigaction(signal, &ours, nullptr);
    former_.emplace_back(signal, former);
  }
}

SignalWatch::~SignalWatch() {
  for (const auto& [signal, former] : former_) sigaction(signal, &former, nullptr);
  --watches;
}

int SignalWatch::caught() { return caught_signal; }

void SignalWatch::check() {
  if (watches > 0 && caught_signal != 0) throw Interrupted{caught_signal};
}

}  // namespace rung
