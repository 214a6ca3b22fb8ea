#include "cli/child.h"

#include <cerrno>
#include <csignal>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <spawn.h>
#include <string_view>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#if defined(__APPLE__)
#include <mach-o/dyld.h>
#endif

#include "base/error.h"
#include "base/signals.h"

extern char** environ;  // POSIX: what getenv searches; no header declares it everywhere

namespace rung {
namespace {

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

// posix_spawn starts a program without fork's copy of our address space. What it changes in the child is listed
// beforehand.
pid_t spawn(const std::vector<std::string>& arguments, const std::filesystem::path& folder,
            const ChildOptions& options) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);

  std::string temporary = "TMPDIR=" + folder.string();
  std::vector<char*> environment{temporary.data()};
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (std::string_view{*variable}.rfind("TMPDIR=", 0) != 0) environment.push_back(*variable);
  }
  environment.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  if (options.catches_output) {
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "output", O_WRONLY | O_CREAT | O_TRUNC, 0600);
  }
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "errors", O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  if (options.ends_group) posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);  // a new one, of its own number
  pid_t child = 0;
  const int error = posix_spawnp(&child, argv[0], &actions, &attributes, argv.data(), environment.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) fail("{}: cannot be started: {}", arguments[0], std::strerror(error));
  return child;
}

// While it lives, children that end wait to be asked how. Where SIGCHLD is ignored, which a program inherits from the
// one that started it, the system forgets them, and one that failed cannot be told from one that succeeded.
class KeepsChildren {
 public:
  KeepsChildren() {
    struct sigaction usual{};
    usual.sa_handler = SIG_DFL;
    sigaction(SIGCHLD, &usual, &former_);
  }
  ~KeepsChildren() { sigaction(SIGCHLD, &former_, nullptr); }
  KeepsChildren(const KeepsChildren&) = delete;
  KeepsChildren& operator=(const KeepsChildren&) = delete;

 private:
  struct sigaction former_{};
};

}  // namespace

ChildResult run_child(const std::vector<std::string>& arguments, const std::filesystem::path& folder,
                      const std::function<void()>& tick, const ChildOptions& options) {
  using namespace std::chrono_literals;
  SignalWatch::check();
  const KeepsChildren keeps_children;
  const pid_t child = spawn(arguments, folder, options), all = options.ends_group ? -child : child;
  siginfo_t info{};
  int asked = 0;
  // WNOWAIT: until waitpid asks, the number is still the child's, and its group's.
  const auto goes_on = [&] {
    asked = waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT);
    return asked == 0 && info.si_pid == 0;
  };
  for (int waits = 0, waits_since_signal = 0; goes_on(); ++waits) {
    if (SignalWatch::caught() != 0) {
      ++waits_since_signal;
      if (waits_since_signal == 1) kill(all, SIGTERM);
      if (waits_since_signal == 100) kill(all, SIGKILL);  // two seconds are enough to go by itself
    }
    if (waits % 5 == 0) tick();
    std::this_thread::sleep_for(20ms);
  }
  int status = 0;
  // Of one that nobody remembers the number may be another's by now: it is not killed.
  if (asked == 0 && options.ends_group) kill(all, SIGKILL);
  if (asked != 0 || waitpid(child, &status, 0) < 0) {
    fail("{}: nobody knows how it ended: {}", arguments[0], std::strerror(errno));
  }
  SignalWatch::check();
  const int exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return {exit_status, options.catches_output ? content_of(folder / "output") : "", content_of(folder / "errors")};
}

std::filesystem::path this_program() {
#if defined(__APPLE__)
  std::uint32_t size = 0;
  _NSGetExecutablePath(nullptr, &size);
  std::string path(size, 0);
  _NSGetExecutablePath(path.data(), &size);
  return std::filesystem::canonical(path.c_str());
#else
  return std::filesystem::read_symlink("/proc/self/exe");
#endif
}

}  // namespace rung
