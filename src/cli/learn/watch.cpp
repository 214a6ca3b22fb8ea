#include "cli/learn/watch.h"

#include <fmt/format.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <optional>

#include "base/error.h"
#include "base/signals.h"
#include "cli/learn/steps.h"
#include "cli/terminal.h"

namespace rung {

namespace fs = std::filesystem;

namespace {

constexpr int kLookEvery = 100;  // milliseconds

// Keys come one by one, not a line at a time, and are not echoed: where stdin is a terminal.
class SingleKeys {
 public:
  SingleKeys() {
    if (::tcgetattr(STDIN_FILENO, &former_) != 0) return;
    is_terminal_ = true;
    termios single = former_;
    single.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &single);
  }
  ~SingleKeys() {
    if (is_terminal_) ::tcsetattr(STDIN_FILENO, TCSANOW, &former_);
  }
  SingleKeys(const SingleKeys&) = delete;
  SingleKeys& operator=(const SingleKeys&) = delete;

  // 'q' where the input has ended; 0: none within the time.
  char wait() const {
    pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    if (::poll(&input, 1, kLookEvery) <= 0) return 0;
    char key = 0;
    return ::read(STDIN_FILENO, &key, 1) == 1 ? key : 'q';
  }

 private:
  termios former_{};
  bool is_terminal_ = false;
};

// What changes when somebody saves: also where an editor writes another file and gives it the name.
std::optional<std::pair<fs::file_time_type, std::uintmax_t>> state_of(const fs::path& path) {
  std::error_code error;
  const auto time = fs::last_write_time(path, error);
  if (error) return std::nullopt;
  const std::uintmax_t size = fs::file_size(path, error);
  if (error) return std::nullopt;
  return std::pair(time, size);
}

constexpr const char* kKeys = "n next · h hint · s solution · l list · c check again · q quit\n";

}  // namespace

int watch(LearnerFolder& folder, const ExerciseText& first, const CompileOptions& options) {
  const SignalWatch signals;
  const SingleKeys keys;
  const ExerciseText* exercise = &first;
  auto state = state_of(folder.file_of(*exercise));
  const auto check_now = [&] {
    state = state_of(folder.file_of(*exercise));
    try {
      const Checked result = checked(folder, *exercise, options);
      write_out("\n" + checked_text(result, folder, *exercise, Hands::keys));
    } catch (const Error& e) {  // the file is away for a moment, as some editors do it
      write_out(fmt::format("\n  {}\n", e.what()));
    }
    write_out(fmt::format("{}{}{}", style().dim, kKeys, style().reset));
  };
  check_now();
  for (;;) {
    SignalWatch::check();
    const char key = keys.wait();
    if (key == 'q') return 0;
    if (key == 'h') write_out(hint_text(folder, *exercise, Hands::keys));
    if (key == 's') write_out(solution_text(folder, *exercise, Hands::keys));
    if (key == 'l') write_out(list_text(&folder, Hands::keys));
    if (key == 'n') {
      const ExerciseText* const next = folder.is_done(*exercise) ? folder.next() : nullptr;
      if (next == nullptr && folder.is_done(*exercise)) write_out("All are solved.\n");
      if (!folder.is_done(*exercise)) write_out(fmt::format("{} is not solved yet.\n", exercise->name));
      if (next != nullptr) {
        exercise = next;
        write_out("\n" + next_text(folder, *exercise));
      }
    }
    const auto now = state_of(folder.file_of(*exercise));
    if (key == 'c' || (now && now != state) || (key == 'n' && folder.next() == exercise)) check_now();
  }
}

}  // namespace rung
