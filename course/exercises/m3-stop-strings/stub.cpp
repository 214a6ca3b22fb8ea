#include "learn.h"

// held: text not yet shown.  stop: not empty.  Result: how many bytes of held, from the first on, may be shown now.
std::uint32_t may_show(std::string_view held, std::string_view stop) {
  not_yet("may_show");
}
