// What the process with a learner's code said (in_child.h) → what it was about, where it crashed or hung, in words.
#pragma once

#include <string>
#include <vector>

#include "cli/child.h"
#include "cli/learn/exercise_texts.h"
#include "cli/learn/learner_folder.h"
#include "cli/learn/tell.h"

namespace rung {

struct HowItEnded {
  std::vector<std::string> checks;  // those that were begun
  std::string title, input;         // of the last case that was begun
  std::string stopped_by;           // a sentence, where it did not end by itself
  std::string place;                // "m2-rms-norm.cpp:7", where it is known
  std::string line;                 // what stands there
  std::string rest;                 // what else was said on stderr
};

// `libraries[i]` came from `exercises[i]`.
HowItEnded how_it_ended(const ChildResult& result, const LearnerFolder& folder,
                        const std::vector<const ExerciseText*>& exercises,
                        const std::vector<TellRequest::Library>& libraries);

// The first line that some words name of a file, as "m2-rms-norm.cpp:7": "7"; empty: none. And what stands in that
// line.
std::string line_named(const std::string& words, const std::string& file);
std::string text_of_line(const std::string& code, std::size_t number);

}  // namespace rung
