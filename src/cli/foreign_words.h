// What other programs call an option → what it is called here.
#pragma once

#include <string>
#include <string_view>

namespace rung {

// An option of llama.cpp or Ollama that is none of Rung's → a sentence that names ours; any other argument: empty.
// "--temp=0.5" and "-c4096" are --temp and -c.
std::string answer_to_foreign_option(std::string_view argument);

}  // namespace rung
