#include "cli/program.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <thread>

#include "files/temporary_folder.h"
#include "paths.h"

namespace rung {

namespace {

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string read_all(int fd) {
  std::string text;
  char buffer[4096];
  for (ssize_t n; (n = ::read(fd, buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(n));
  ::close(fd);
  return text;
}

// In the child: never returns.
[[noreturn]] void become_rung(std::vector<std::string> arguments, const Surroundings& surroundings,
                              const std::filesystem::path& input, int out, const std::filesystem::path& errors) {
  ::dup2(::open(input.c_str(), O_RDONLY), STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  const std::string& to = surroundings.errors.empty() ? errors.string() : surroundings.errors;
  to == "closed" ? ::close(STDERR_FILENO)
                 : ::dup2(::open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDERR_FILENO);
  if (surroundings.address_limit > 0) {
    const rlimit limit{surroundings.address_limit, surroundings.address_limit};
    ::setrlimit(RLIMIT_AS, &limit);
  }
  if (surroundings.file_limit > 0) {
    const rlimit limit{surroundings.file_limit, surroundings.file_limit};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  std::signal(SIGINT, SIG_DFL);  // whoever starts the tests in the background may ignore it
  for (const std::string& variable : surroundings.environment) ::putenv(const_cast<char*>(variable.c_str()));
  arguments.insert(arguments.begin(), "rung");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  ::execv(rung_program().c_str(), argv.data());
  ::_exit(99);
}

int wait_for(pid_t child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

constexpr int kSmallPipe = 4096;  // the smallest that Linux makes

// Until the pipe is full, and the program sleeps there, or has ended. (/proc/PID/stat: "PID (rung) S …")
void wait_until_it_waits(pid_t child, int reader) {
  using namespace std::chrono_literals;
  for (int waits = 0; waits < 2000; ++waits) {
    int held = 0;
    ::ioctl(reader, FIONREAD, &held);
    const std::string statistics = text_of("/proc/" + std::to_string(child) + "/stat");
    const std::size_t name_end = statistics.rfind(") ");
    const char state = name_end == std::string::npos ? 'Z' : statistics[name_end + 2];
    if (state == 'Z' || (held == kSmallPipe && state == 'S')) return;
    std::this_thread::sleep_for(1ms);
  }
}

}  // namespace

Outcome run_rung(std::vector<std::string> arguments, const Surroundings& surroundings) {
  const TemporaryFolder folder;
  std::ofstream(folder / "in") << surroundings.input;
  int out = -1, reader = -1;  // our end, where stdout is a terminal
  if (surroundings.output == "terminal") {
    reader = ::posix_openpt(O_RDWR | O_NOCTTY);
    ::grantpt(reader);
    ::unlockpt(reader);
    out = ::open(::ptsname(reader), O_RDWR | O_NOCTTY);
    const winsize size{
        .ws_row = 24, .ws_col = static_cast<unsigned short>(surroundings.columns), .ws_xpixel = 0, .ws_ypixel = 0};
    ::ioctl(out, TIOCSWINSZ, &size);
  } else if (surroundings.output == "closed pipe") {
    int ends[2];
    if (::pipe(ends) != 0) return {99, "", "pipe"};
    ::close(ends[0]);
    out = ends[1];
  } else if (surroundings.output == "non-blocking pipe") {
    int ends[2];
    if (::pipe(ends) != 0) return {99, "", "pipe"};
    ::fcntl(ends[0], F_SETPIPE_SZ, kSmallPipe);
    ::fcntl(ends[1], F_SETFL, O_WRONLY | O_NONBLOCK);
    reader = ends[0];
    out = ends[1];
  } else {
    out = ::open(surroundings.output.empty() ? (folder / "out").c_str() : surroundings.output.c_str(),
                 O_WRONLY | O_CREAT, 0600);
  }
  const pid_t child = ::fork();
  if (child == 0) become_rung(std::move(arguments), surroundings, folder / "in", out, folder / "err");
  ::close(out);
  if (surroundings.output == "non-blocking pipe") wait_until_it_waits(child, reader);
  Outcome outcome;
  if (reader >= 0) outcome.out = read_all(reader);  // until the program has ended: then nobody has the other end
  outcome.status = wait_for(child);
  if (reader < 0) outcome.out = text_of(folder / "out");
  outcome.err = text_of(folder / "err");
  return outcome;
}

Outcome interrupt_rung(std::vector<std::string> arguments) {
  using namespace std::chrono_literals;
  const TemporaryFolder folder;
  std::ofstream(folder / "in") << "";
  int ends[2];
  if (::pipe(ends) != 0) return {99, "", "pipe"};
  ::fcntl(ends[0], F_SETPIPE_SZ, 4096);
  const std::string filling(3500, '\n');
  if (::write(ends[1], filling.data(), filling.size()) != 3500) return {99, "", "write"};
  const pid_t child = ::fork();
  if (child == 0) become_rung(std::move(arguments), {}, folder / "in", ends[1], folder / "err");
  ::close(ends[1]);
  for (int waits = 0, held = 0; waits < 2000 && held < 4000; ++waits) {
    ::ioctl(ends[0], FIONREAD, &held);
    std::this_thread::sleep_for(10ms);
  }
  ::kill(child, SIGINT);
  Outcome outcome;
  outcome.out = read_all(ends[0]).substr(filling.size());
  outcome.status = wait_for(child);
  outcome.err = text_of(folder / "err");
  return outcome;
}

Outcome interrupt_reading_rung(std::vector<std::string> arguments) {
  const TemporaryFolder folder;
  std::ofstream(folder / "in") << "";
  const int out = ::open((folder / "out").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  int ends[2];
  if (::pipe(ends) != 0) return {99, "", "pipe"};
  ::fcntl(ends[0], F_SETPIPE_SZ, kSmallPipe);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[0], 9);
    ::close(ends[0]);
    ::close(ends[1]);
    become_rung(std::move(arguments), {}, folder / "in", out, folder / "err");
  }
  ::close(out);
  ::close(ends[0]);
  std::signal(SIGPIPE, SIG_IGN);  // it may end without reading
  std::string text;
  while (text.size() < 3 * kSmallPipe) text += "the fox\n";
  [[maybe_unused]] const ssize_t written =
      ::write(ends[1], text.data(), text.size());  // waits until most of it is read
  ::kill(child, SIGINT);
  Outcome outcome;
  outcome.status = wait_for(child);
  ::close(ends[1]);
  outcome.out = text_of(folder / "out");
  outcome.err = text_of(folder / "err");
  return outcome;
}

}  // namespace rung
