// One line after the other: edited on a terminal (libedit, with a history that ends with the program), read as it comes
// from anywhere else.
#pragma once

#include <optional>
#include <string>

namespace rung {

class LineEditor {
 public:
  LineEditor();

  // Without its end; nullopt: there are no more (Ctrl-D), or a signal came (see SignalWatch). The prompt goes to
  // stderr, and only on a terminal.
  std::optional<std::string> read(const char* prompt);

 private:
  std::optional<std::string> read_plain();

  bool edits_;
  std::string waiting_;  // read, but not yet given
};

}  // namespace rung
