#include "cli/line_editor.h"

#include <editline/readline.h>
#include <langinfo.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include "base/error.h"
#include "base/signals.h"
#include "cli/terminal.h"

namespace rung {

LineEditor::LineEditor() : edits_(stdin_is_terminal() && stderr_is_terminal()) {
  if (!edits_) return;
  // libedit reads characters as the locale says; where none is set, bytes beyond ASCII would be lost.
  if (std::setlocale(LC_CTYPE, "") == nullptr || std::strcmp(nl_langinfo(CODESET), "UTF-8") != 0) {
    std::setlocale(LC_CTYPE, "C.UTF-8");
  }
  rl_readline_name = "rung";
  rl_outstream = stderr;  // stdout is for answers
  using_history();
  stifle_history(1000);
}

std::optional<std::string> LineEditor::read(const char* prompt) {
  if (!edits_) return read_plain();
  struct Free {
    void operator()(char* p) const { std::free(p); }
  };
  const std::unique_ptr<char, Free> line(readline(prompt));
  if (!line) return {};
  if (*line != '\0') add_history(line.get());
  return std::string(line.get());
}

std::optional<std::string> LineEditor::read_plain() {
  for (;;) {
    if (const std::size_t end = waiting_.find('\n'); end != std::string::npos) {
      std::string line = waiting_.substr(0, end);
      waiting_.erase(0, end + 1);
      if (line.ends_with('\r')) line.pop_back();
      return line;
    }
    char buffer[1 << 14];
    const ssize_t n = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR && SignalWatch::caught() == 0) continue;
    if (n < 0 && errno == EINTR) return {};
    if (n < 0 && wait_until_ready(STDIN_FILENO, POLLIN)) continue;
    if (n < 0) fail("stdin: {}", std::strerror(errno));
    if (n == 0 && waiting_.empty()) return {};
    if (n == 0) return std::exchange(waiting_, "");
    waiting_.append(buffer, static_cast<std::size_t>(n));
  }
}

}  // namespace rung
