// Runs the program itself, as a shell would.
#pragma once

#include <string>
#include <vector>

namespace rung {

struct Surroundings {
  std::string input = {};  // what stdin has to say
  // a file that stdout is, "terminal", "closed pipe", or "non-blocking pipe": one that holds little, and that nobody
  // reads before the program waits there; empty: caught
  std::string output = {};
  std::string errors = {};                    // a file that stderr is, or "closed"; empty: caught
  std::vector<std::string> environment = {};  // more of it: "NO_COLOR=1"
  std::size_t file_limit = 0;                 // no file may grow beyond so many bytes (`ulimit -f`); 0: as it is
  std::size_t address_limit = 0;              // no more bytes of addresses than that (`ulimit -v`); 0: as it is
  std::size_t columns = 0;                    // of the terminal that stdout is
};

struct Outcome {
  int status = 0;  // 128 + the signal, where one ended it
  std::string out, err;
};

Outcome run_rung(std::vector<std::string> arguments, const Surroundings& surroundings = {});

// Starts it with stdin empty and stdout a pipe that holds little and that nobody reads; sends Ctrl-C once it has to
// wait there; then reads it all.
Outcome interrupt_rung(std::vector<std::string> arguments);

// Starts it with /dev/fd/9 a pipe that has some text and does not end; sends Ctrl-C once it has read some of it.
Outcome interrupt_reading_rung(std::vector<std::string> arguments);

}  // namespace rung
