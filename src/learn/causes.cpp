#include "learn/causes.h"

namespace rung::learn {

std::vector<Cause> likely_causes(const Exercise& exercise, const Case& example, const Answer& got) {
  std::vector<Cause> causes;
  for (const KnownMistake& mistake : exercise.mistakes) {
    const Answer theirs = answer_of(mistake.call, example.arguments, exercise.reference.result);
    if (!agree(theirs, got, exercise.tolerance)) continue;
    causes.push_back({std::string(mistake.id), std::string(mistake.sentence), std::string(mistake.page)});
  }
  return causes;
}

}  // namespace rung::learn
