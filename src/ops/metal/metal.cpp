#include "ops/metal/metal.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "kernels/metal/args.h"
#include "ops/metal/grids.h"

namespace rung {

using metal::formats_of;
using metal::in_32_bits;
using metal::in_groups;
using metal::Kernel;
using metal::Place;
using metal::thread_a_value;

namespace {

static_assert(gpu::kBlock == kKvBlock);
static_assert(static_cast<int>(gpu::kF16) == static_cast<int>(DType::f16) &&
              static_cast<int>(gpu::kQ8_0) == static_cast<int>(DType::q8_0) &&
              static_cast<int>(gpu::kQ6_K) == static_cast<int>(DType::q6_k) &&
              static_cast<int>(gpu::kIq4Xs) == static_cast<int>(DType::iq4_xs) &&
              static_cast<int>(gpu::kIq1M) == static_cast<int>(DType::iq1_m) &&
              static_cast<int>(gpu::kMxfp4) == static_cast<int>(DType::mxfp4) && std::size(kDTypes) == gpu::kMxfp4 + 1);

std::size_t next_number() {
  static std::atomic<std::size_t> number{0};
  return ++number;
}

}  // namespace

MetalOps::MetalOps(std::size_t most_work, std::size_t most_partial_bytes)
    : gpu_(most_work), number_(next_number()), most_partial_bytes_(std::min(most_partial_bytes, gpu_.most_bytes())) {
  set_cache_type(DType::f16);
}

void MetalOps::finish() {
  turns_.clear();  // steps know their places; should one fail, these are none of the next pass
  tables_.clear();
  record();
  gpu_.finish();
  retired_.clear();
  if (++pass_ % kPassesKept == 0) let_constants_go();
}

void MetalOps::let_constants_go() {
  std::erase_if(constants_, [&](const auto& known) { return known.second.used + kPassesKept < pass_; });
}

Place MetalOps::constant(std::span<const float> values) {
  Constant& known = constants_[values.data()];
  known.used = pass_;
  const bool same = known.memory != nullptr && known.values.size() == values.size() &&
                    std::memcmp(known.values.data(), values.data(), values.size_bytes()) == 0;
  if (!same) {
    if (known.memory != nullptr) retired_.push_back(std::move(known.memory));
    known = {gpu_.memory(values.size_bytes()), {values.begin(), values.end()}, pass_};
    std::memcpy(known.memory->data(), values.data(), values.size_bytes());
  }
  return gpu_.place(known.memory->data());
}

void MetalOps::do_embed(Matrix out, std::span<const std::int32_t> ids, const PackedMatrix& table, float scale) {
  const Place id_table = upload(ids);
  const std::size_t columns = table.columns;
  for (const WeightPiece& piece : pieces_of(table)) {
    const gpu::EmbedArgs args{
        .tokens = in_32_bits(ids.size()),
        .columns = in_32_bits(columns),
        .row_bytes = in_32_bits(row_bytes(table.dtype, columns)),
        .first_row = in_32_bits(piece.first_row),
        .rows = in_32_bits(piece.rows),
        .scale = scale,
    };
    kernel_step(Kernel::embed, formats_of(table.dtype, table.dtype), args,
                {place(out.data()), id_table, {piece.buffer.id(), piece.offset}},
                thread_a_value(ids.size() * in_groups(columns, 32) * 4));
  }
}

void MetalOps::do_rms_norm(Matrix out, ConstMatrix x, const Norm& norm) {
  steps_.push_back(NormStep{out, x, norm.epsilon, constant(norm.weight)});
}

// One row of cosines and sines a token. The layers of a pass turn by the same: so they are uploaded once.
Place MetalOps::turns(std::span<const std::uint32_t> positions, const Rope& rope) {
  const std::size_t row = 2 * rope.inverse_frequencies.size();
  const float* const table =
      rope_table_.rows(rope, std::size_t{*std::max_element(positions.begin(), positions.end())} + 1);
  for (const Turns& known : turns_) {
    if (known.table == table &&
        std::equal(known.positions.begin(), known.positions.end(), positions.begin(), positions.end())) {
      return known.place;
    }
  }
  std::vector<float> rows(positions.size() * row);
  for (std::size_t t = 0; t < positions.size(); ++t) std::copy_n(table + positions[t] * row, row, &rows[t * row]);
  turns_.push_back({table, {positions.begin(), positions.end()}, upload(std::span<const float>(rows))});
  return turns_.back().place;
}

void MetalOps::do_rope(Tensor<float, Tokens, Heads, HeadDim> x, std::span<const std::uint32_t> positions,
                       const Rope& rope) {
  if (positions.empty()) return;
  const std::size_t half = rope.inverse_frequencies.size();
  steps_.push_back(RopeStep{x.data(),
                            {in_32_bits(positions.size()), in_32_bits(x.extent<Heads>()), in_32_bits(half)},
                            turns(positions, rope)});
}

void MetalOps::do_gate(Matrix out, ConstMatrix gate, ConstMatrix up, Activation activation) {
  steps_.push_back(GateStep{out, gate, up, activation});
}

void MetalOps::do_add(Matrix x, ConstMatrix y) { steps_.push_back(AddStep{x, y}); }

void MetalOps::do_take_rows(Matrix out, ConstMatrix x, std::span<const std::size_t> rows) {
  std::vector<std::uint32_t> numbers;
  for (const std::size_t row : rows) numbers.push_back(in_32_bits(row));
  const gpu::RowArgs args{in_32_bits(rows.size()), in_32_bits(x.extent<Columns>())};
  kernel_step(Kernel::take_rows, 0, args,
              {place(out.data()), place(x.data()), upload(std::span<const std::uint32_t>(numbers))},
              thread_a_value(rows.size() * x.extent<Columns>()));
}

}  // namespace rung
