// The program, started and left to run until the test ends it.
#pragma once

#include <string>
#include <vector>

#include "files/temporary_folder.h"

namespace rung {

class StartedProgram {
 public:
  StartedProgram(std::vector<std::string> arguments, std::vector<std::string> environment);
  int end_with(int signal);  // sends it and waits → the exit status, or 128 + the signal that ended it
  std::string errors() const;

 private:
  TemporaryFolder folder_;
  int child_ = 0;
};

}  // namespace rung
