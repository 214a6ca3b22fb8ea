// Linear layers: what is asked for, and their kernels, with a norm before, a sum or an activation after.  Milestone M7.
#include <algorithm>
#include <array>

#include "ops/metal/grids.h"
#include "ops/metal/metal.h"

namespace rung {

using metal::formats_of;
using metal::Grid;
using metal::in_32_bits;
using metal::in_groups;
using metal::Kernel;
using metal::Place;

namespace {

bool single(std::size_t tokens) { return tokens == 1; }
bool few(std::size_t tokens) { return tokens <= gpu::kFewTokens; }

// A lane's eight values of a plain type can then be read in one load or two.
bool wide(DType type, const gpu::LinearArgs& args, const Place& w) {
  return is_quantised(type) || (w.offset % 16 == 0 && args.row_bytes % 16 == 0);
}

Grid grid_of(std::size_t rows, std::size_t row_tile, std::size_t tokens, std::size_t matrices) {
  const std::size_t token_tile = few(tokens) ? gpu::kFewTokens : gpu::kManyTokens;
  return {{in_groups(rows, row_tile), in_groups(tokens, token_tile), matrices}, gpu::kRuns * gpu::kSimd};
}

}  // namespace

void MetalOps::do_linear(Matrix out, ConstMatrix x, const PackedMatrix& w) {
  const LinearTask task{out, &w};
  do_linear_each({&task, 1}, x);
}

// One step a piece of the matrix: mostly one.
void MetalOps::do_linear_each(std::span<const LinearTask> tasks, ConstMatrix x) {
  bool goes_on = false;
  for (const LinearTask& task : tasks) {
    const PackedMatrix& w = *task.w;
    for (const WeightPiece& piece : pieces_of(w)) {
      Place bias = place(x.data());  // something must be bound
      if (!w.bias.empty()) {
        bias = constant(w.bias);
        bias.offset += piece.first_row * sizeof(float);
      }
      const gpu::LinearArgs args{
          .rows = in_32_bits(piece.rows),
          .columns = in_32_bits(w.columns),
          .tokens = in_32_bits(task.out.extent<Rows>()),
          .row_bytes = in_32_bits(row_bytes(w.dtype, w.columns)),
          .out_stride = in_32_bits(w.rows),
          .first_row = in_32_bits(piece.first_row),
          .neighbours_head_dim = in_32_bits(w.neighbours_head_dim),
          .has_bias = w.bias.empty() ? 0u : 1u,
          .has_residual = 0,
          .activation = 0,
          .has_other_format = 0,
          .epsilon = 0,
      };
      steps_.push_back(LinearStep{args,
                                  w.dtype,
                                  task.out.data(),
                                  x.data(),
                                  {piece.buffer.id(), piece.offset},
                                  bias,
                                  std::exchange(goes_on, true)});
    }
  }
}

// Layers of one x, in one format or two.
void MetalOps::record_linear(std::span<const LinearStep* const> layers, const NormStep* norm, const float* residual) {
  std::array<gpu::LinearArgs, gpu::kMostTasks> args{};
  const LinearStep& first = *layers.front();
  const Place x = place(norm != nullptr ? norm->x.data() : first.x);
  std::array<Place, 4 + 3 * gpu::kMostTasks> places{x, residual != nullptr ? place(residual) : x};
  DType other = first.type;
  bool is_wide = true;
  std::size_t rows = 0, work = 0;
  for (std::size_t i = 0; i < gpu::kMostTasks; ++i) {
    const LinearStep& layer = *layers[std::min(i, layers.size() - 1)];  // beyond the last: something must be bound
    places[2 + 3 * i] = place(layer.out);
    places[3 + 3 * i] = layer.w;
    places[4 + 3 * i] = layer.bias;
    if (i >= layers.size()) continue;
    args[i] = layer.args;
    if (layer.type != first.type) {
      other = layer.type;
      args[i].has_other_format = 1;
    }
    if (norm != nullptr) args[i].epsilon = norm->epsilon;
    is_wide = is_wide && wide(layer.type, layer.args, layer.w);
    rows = std::max<std::size_t>(rows, layer.args.rows);
    work += std::size_t{layer.args.rows} * layer.args.columns * layer.args.tokens;
  }
  args[0].has_residual = residual != nullptr ? 1 : 0;
  places[11] = norm != nullptr ? norm->weight : x;
  places[12] = norm != nullptr ? place(norm->out.data()) : places[2];
  const bool is_single = single(first.args.tokens), is_few = few(first.args.tokens);
  const std::size_t row_tile = is_single ? gpu::kSingleRows : is_few ? gpu::kFewRows : gpu::kManyRows;
  gpu_.dispatch(is_few ? Kernel::linear_few : Kernel::linear_many,
                formats_of(first.type, other, {.normed = norm != nullptr, .single = is_single, .wide = is_wide}),
                std::as_bytes(std::span(args).first(layers.size())), std::span(places).first(is_few ? 13 : 11),
                grid_of(rows, row_tile, first.args.tokens, layers.size()));
  gpu_.add_work(work);
}

void MetalOps::record_gated(const LinearStep& gate, const LinearStep& up, Activation activation, const NormStep* norm) {
  gpu::LinearArgs args = gate.args;
  args.activation = activation == Activation::silu ? 0 : 1;
  if (norm != nullptr) args.epsilon = norm->epsilon;
  const Place x = place(norm != nullptr ? norm->x.data() : gate.x);
  const std::array<Place, 7> places{x,
                                    place(gate.out),
                                    place(up.out),
                                    gate.w,
                                    up.w,
                                    norm != nullptr ? norm->weight : x,
                                    norm != nullptr ? place(norm->out.data()) : place(gate.out)};
  const bool is_single = single(args.tokens), is_few = few(args.tokens),
             is_wide = wide(gate.type, gate.args, gate.w) && wide(up.type, up.args, up.w);
  gpu_.dispatch(is_few ? Kernel::gate_up_few : Kernel::gate_up_many,
                formats_of(gate.type, gate.type, {.normed = norm != nullptr, .single = is_single, .wide = is_wide}),
                std::as_bytes(std::span(&args, 1)), std::span(places).first(is_few ? 7 : 5),
                grid_of(args.rows, is_single ? gpu::kSingleRows / 2 : 8, args.tokens, 1));
  gpu_.add_work(std::size_t{2} * args.rows * args.columns * args.tokens);
}

}  // namespace rung
