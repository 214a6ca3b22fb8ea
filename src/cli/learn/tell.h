// `rung generate --with FOLDER`: a model goes on with a text, with a learner's solved code in its place.
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"
#include "learn/seams.h"

namespace rung {

// What the process that runs their code is asked.
struct TellRequest {
  struct Library {
    std::string exercise, path;
  };
  std::vector<Library> libraries;
  ModelOption model;
  RunOptions run;
  EndOptions end;
  SamplingOptions sampling;
  std::string text;
  bool json = false;
};

// Compiles what is solved in the folder, and lets a process of its own tell. Left out is what makes another model of
// it, fewer bits or a window, unless there is nothing else. The exit status. Throws Error: nothing is solved there; it
// crashed.
int tell_with(const std::string& folder, TellRequest request);

// In that process. Of the functions that choose the next token, the last one runs that draws, or, at temperature 0,
// that does not.
TellRequest read_tell_request(const std::string& path);
int tell(const TellRequest& request);

}  // namespace rung
