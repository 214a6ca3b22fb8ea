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

// Compiles what is solved in the folder, and lets a process of its own tell. The exit status. Throws Error: nothing is
// solved there; it crashed.
int tell_with(const std::string& folder, TellRequest request);

// In that process.
TellRequest read_tell_request(const std::string& path);
learn::Seams seams_of(const TellRequest& request);
int tell(const TellRequest& request, learn::Seams seams);

}  // namespace rung
