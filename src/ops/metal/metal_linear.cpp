// Linear layers, and what joins them: q, k and v in one kernel; gate and up with the activation; a product with the sum
// that follows it.  Milestone M7.
//
// A dispatch costs a GPU some microseconds, of which a small model's token has few. So a linear layer waits for the
// next verb: is that one its activation or its sum, both become one kernel. The bits are those of the verbs one by one.
// Under a decorator that looks at values, each verb is finished at once, and nothing is joined.
#include <algorithm>
#include <array>

#include "ops/metal/metal.h"

namespace rung {

using metal::Grid;
using metal::Kernel;
using metal::Place;

namespace {

std::uint32_t u32_of(std::size_t n) { return static_cast<std::uint32_t>(n); }

bool few(std::size_t tokens) { return tokens <= gpu::kFewTokens; }

std::size_t tiles(std::size_t count, std::size_t of) { return (count + of - 1) / of; }

Grid grid_of(std::size_t rows, std::size_t row_tile, std::size_t tokens, std::size_t matrices) {
  const std::size_t token_tile = few(tokens) ? gpu::kFewTokens : gpu::kManyTokens;
  return {{tiles(rows, row_tile), tiles(tokens, token_tile), matrices}, gpu::kRuns * gpu::kSimd};
}

}  // namespace

void MetalOps::do_linear(Matrix out, ConstMatrix x, const PackedMatrix& w) {
  const LinearTask task{out, &w};
  do_linear_each({&task, 1}, x);
}

void MetalOps::do_linear_each(std::span<const LinearTask> tasks, ConstMatrix x) {
  record_pending();
  const Place x_place = gpu_.place(x.data());
  for (const LinearTask& task : tasks) {
    for (LinearWork& work : works_of(task, x_place)) {
      if (pending_.type != task.w->dtype || pending_.works.size() == gpu::kMostTasks) record_pending();
      pending_.type = task.w->dtype;
      pending_.x = x.data();
      pending_.x_place = x_place;
      pending_.works.push_back(work);
    }
  }
}

// One work a piece of the matrix: mostly one.
std::vector<MetalOps::LinearWork> MetalOps::works_of(const LinearTask& task, Place x) {
  const PackedMatrix& w = *task.w;
  std::vector<LinearWork> works;
  for (const WeightPiece& piece : pieces_of(w)) {
    Place bias = x;  // something must be bound
    if (!w.bias.empty()) {
      bias = constant(w.bias);
      bias.offset += piece.first_row * sizeof(float);
    }
    works.push_back({{
                         .rows = u32_of(piece.rows),
                         .columns = u32_of(w.columns),
                         .tokens = u32_of(task.out.extent<Rows>()),
                         .row_bytes = u32_of(row_bytes(w.dtype, w.columns)),
                         .out_stride = u32_of(w.rows),
                         .first_row = u32_of(piece.first_row),
                         .neighbours_head_dim = u32_of(w.neighbours_head_dim),
                         .has_bias = w.bias.empty() ? 0u : 1u,
                         .has_residual = 0,
                         .activation = 0,
                     },
                     task.out.data(),
                     gpu_.place(task.out.data()),
                     {piece.buffer.id(), piece.offset},
                     bias});
  }
  return works;
}

void MetalOps::record_pending(Place residual) {
  std::vector<LinearWork>& works = pending_.works;
  if (works.empty()) return;
  std::array<gpu::LinearArgs, gpu::kMostTasks> args{};
  std::array<Place, 2 + 3 * gpu::kMostTasks> places{pending_.x_place,
                                                    residual.buffer != nullptr ? residual : pending_.x_place};
  std::size_t rows = 0, work = 0;
  for (std::size_t i = 0; i < gpu::kMostTasks; ++i) {
    const LinearWork& from = works[std::min(i, works.size() - 1)];  // beyond the last: something must be bound
    places[2 + 3 * i] = from.out_place;
    places[3 + 3 * i] = from.w;
    places[4 + 3 * i] = from.bias;
    if (i >= works.size()) continue;
    args[i] = from.args;
    rows = std::max<std::size_t>(rows, from.args.rows);
    work += std::size_t{from.args.rows} * from.args.columns * from.args.tokens;
  }
  if (residual.buffer != nullptr) args[0].has_residual = 1;
  const std::size_t tokens = args[0].tokens, count = works.size();
  works.clear();
  gpu_.dispatch(few(tokens) ? Kernel::linear_few : Kernel::linear_many, u32_of(static_cast<std::size_t>(pending_.type)),
                std::as_bytes(std::span(args).first(count)), places,
                grid_of(rows, few(tokens) ? gpu::kFewRows : gpu::kManyRows, tokens, count));
  gpu_.add_work(work);
}

// x += y, where y is what is pending.
bool MetalOps::becomes_sum(Matrix x, ConstMatrix y) {
  if (pending_.works.size() != 1) return false;
  const LinearWork& work = pending_.works[0];
  const bool whole = work.args.rows == work.args.out_stride && y.extent<Columns>() == work.args.rows;
  if (work.out != y.data() || !whole || y.extent<Rows>() != work.args.tokens) return false;
  if (x.data() == pending_.x || x.data() == y.data()) return false;  // what others still read, or write
  record_pending(gpu_.place(x.data()));
  return true;
}

// out = activation(gate)·up, where gate and up are what is pending.
bool MetalOps::becomes_gate(Matrix out, ConstMatrix gate, ConstMatrix up, Activation activation) {
  if (pending_.works.size() != 2) return false;
  const LinearWork &first = pending_.works[0], &second = pending_.works[1];
  const auto whole = [&](const LinearWork& work, ConstMatrix result) {
    return work.out == result.data() && work.args.rows == work.args.out_stride && work.args.has_bias == 0 &&
           work.args.neighbours_head_dim == 0 && result.extent<Columns>() == work.args.rows &&
           result.extent<Rows>() == work.args.tokens;
  };
  if (out.data() != gate.data() || !whole(first, gate) || !whole(second, up)) return false;
  gpu::LinearArgs args = first.args;
  args.activation = activation == Activation::silu ? 0 : 1;
  const std::size_t rows = args.rows, tokens = args.tokens, work = 2 * rows * args.columns * tokens;
  const std::array<Place, 5> places{pending_.x_place, first.out_place, second.out_place, first.w, second.w};
  pending_.works.clear();
  gpu_.dispatch(few(tokens) ? Kernel::gate_up_few : Kernel::gate_up_many,
                u32_of(static_cast<std::size_t>(pending_.type)), std::as_bytes(std::span(&args, 1)), places,
                grid_of(rows, 8, tokens, 1));
  gpu_.add_work(work);
  return true;
}

}  // namespace rung
