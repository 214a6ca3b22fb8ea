// Rung 7: all cores.
//
// The panels are shared out: each thread takes a range of them, reads its own weights and writes its own outputs, so
// that nobody waits for anybody until all are done. A row is summed by one thread from its first column to its last, in
// the order of rung 6: the result is the same, bit for bit, for any number of threads.
//
// A pass through a model does this some two hundred times, a few dozen microseconds each. So the threads are not
// started each time: a team (src/base/threads.h) waits, awake, for the next piece of work.
//
// What limits it: what no program goes beyond. With one token the bandwidth of memory, with many the multipliers of all
// cores: compare the last two columns with `rung bench --ceilings`.
#include "ladder.h"

namespace ladder {

namespace {

void multiply(float* out, const std::byte* packed, const float* x, const Shape& shape, rung::ThreadTeam& team) {
  const Block* tokens = quantized(x, shape).data();
  team.run(shape.rows / 16,
           [&](std::size_t begin, std::size_t end) { multiply_panels(out, packed, tokens, shape, begin, end); });
}

}  // namespace

const Rung threads{"7 threads", Rounds::both, panel_bytes, pack_panels, multiply};

}  // namespace ladder
