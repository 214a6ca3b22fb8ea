// The process in which a learner's code runs: `rung` again, with a verb that no help names. What crashes or hangs there
// is gone with it. It tells on stderr, a line each, what it is about to do and how it ended:
//
//   @rung check random              @rung case {"title": …, "input": …}
//   @rung crash 11                  the signal; "crash overflow": the stack is full
//   @rung hangs                     five seconds in one call, as the processor counts; or thirty of waiting
//   @rung threw vector::_M_range…   what the standard library threw in their code
//   @rung memory                    it asked for more memory than there is
//   @rung exit                      it called exit()
//   @rung at 0 1a2f                 a frame of the learner's library number 0, the innermost first
#pragma once

#include <string>
#include <vector>

namespace rung {

inline constexpr const char* kToldFile = "told";  // beside the request: the answer came to its end
inline constexpr const char* kChildVerb = "learner-in-a-process-of-its-own";
inline constexpr int kCrashed = 70, kHung = 71;  // exit statuses

// check|debug NAME LIBRARY REPORT, or tell REQUEST. The exit status. The report is written as soon as a case has
// failed, and anew with the causes: their code may crash while these are sought.
int run_in_child(const std::vector<std::string>& arguments);

}  // namespace rung
