#include "ops/cpu.h"

#include <algorithm>

#include "base/ensure.h"
#include "base/mapped_file.h"
#include "tensor/blocks.h"

namespace rung {

namespace {

// Below this many values a verb between two layers takes less time than two passes through the team's barrier, about a
// microsecond.
constexpr std::size_t kWorthSharing = 8192;

constexpr std::size_t kSliceBytes = std::size_t{4} << 20;

}  // namespace

CpuOps::CpuOps(ThreadTeam& team, const Kernels& kernels) : team_(team), kernels_(kernels) {
  set_cache_type(DType::f16);
}

void CpuOps::Scratch::make(std::size_t members, std::size_t floats) {
  if (members <= members_ && floats <= stride_) return;
  // Whole pairs of cache lines, which a processor fetches together: no two members write to one.
  constexpr std::size_t kPair = 2 * 64 / sizeof(float);
  const std::size_t stride = (std::max(floats, stride_) + kPair - 1) / kPair * kPair;
  room_ = Buffer<float>(members * stride);
  members_ = members;
  stride_ = stride;
}

void CpuOps::share_rows(std::size_t rows, std::size_t values_each, RangeBody body,
                        std::array<ThreadTeam::Bytes, 2> inputs) {
  if (rows * values_each < kWorthSharing) {
    body(0, rows);
  } else {
    team_.run(rows, body, inputs);
  }
}

void CpuOps::do_embed(Matrix out, std::span<const std::int32_t> ids, const PackedMatrix& table, float scale) {
  share_rows(ids.size(), table.columns, [&](std::size_t begin, std::size_t end) {
    for (std::size_t t = begin; t < end; ++t) {
      decode_row(out[t].span(), table.dtype, table.row(static_cast<std::size_t>(ids[t])));
      if (scale != 1.0f) kernels_.scale(out[t].data(), scale, table.columns);
    }
  });
}

void CpuOps::do_rms_norm(Matrix out, ConstMatrix x, const Norm& norm) {
  share_rows(x.extent<Rows>(), x.extent<Columns>(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t r = begin; r < end; ++r) {
      kernels_.rms_norm(out[r].data(), x[r].data(), norm.weight.data(), norm.weight.size(), norm.epsilon);
    }
  });
}

const std::byte* CpuOps::panels_of(const PackedMatrix& w) {
  ensure(w.panels != nullptr, "CpuOps: a matrix without an owner who keeps its panels");
  return w.panels->panels(w.id, panel_count(w.rows) * panel_bytes(w.dtype, w.columns),
                          [&](std::byte* memory) { lay_out(memory, w); });
}

// In slices of a few megabytes, whose pages of the file are given back before the next: so the weights are never in
// memory twice.
void CpuOps::lay_out(std::byte* panels, const PackedMatrix& w) {
  const std::size_t bytes = panel_bytes(w.dtype, w.columns), count = panel_count(w.rows);
  const std::size_t slice = std::max<std::size_t>(1, kSliceBytes / std::max<std::size_t>(1, bytes));
  for (std::size_t first = 0; first < count; first += slice) {
    team_.run(std::min(slice, count - first), [&](std::size_t begin, std::size_t end) {
      for (std::size_t p = first + begin; p < first + end; ++p) {
        const std::byte* rows[kPanelRows] = {};
        for (std::size_t r = 0; r < kPanelRows && p * kPanelRows + r < w.rows; ++r) rows[r] = w.row(p * kPanelRows + r);
        lay_out_panel(panels + p * bytes, w.dtype, rows, w.columns);
      }
    });
    const std::size_t laid_out = (first + slice) * kPanelRows * row_bytes(w.dtype, w.columns);
    MappedFile::release({w.data, std::min(laid_out, w.bytes())});
  }
}

const ActivationBlock* CpuOps::quantized(ConstMatrix x) {
  const std::size_t rows = x.extent<Rows>(), columns = x.extent<Columns>(), blocks = columns / 32;
  if (blocks_.size() < rows * blocks) blocks_ = Buffer<ActivationBlock>(rows * blocks);
  share_rows(rows, columns, [&](std::size_t begin, std::size_t end) {
    for (std::size_t r = begin; r < end; ++r) kernels_.quantize(blocks_.data() + r * blocks, x[r].data(), columns);
  });
  return blocks_.data();
}

const std::uint16_t* CpuOps::in_bf16(ConstMatrix x) {
  const std::size_t rows = x.extent<Rows>(), columns = x.extent<Columns>(), stride = bf16_stride(columns);
  if (bf16_rows_.size() < rows * stride) bf16_rows_ = Buffer<std::uint16_t>(rows * stride);
  share_rows(rows, columns, [&](std::size_t begin, std::size_t end) {
    for (std::size_t r = begin; r < end; ++r)
      kernels_.round_to_bf16(bf16_rows_.data() + r * stride, x[r].data(), columns);
  });
  return bf16_rows_.data();
}

void CpuOps::do_linear(Matrix out, ConstMatrix x, const PackedMatrix& w) {
  const LinearTask task{out, &w};
  do_linear_each({&task, 1}, x);
}

// The activations are rounded once, and the panels of all the weights are one range for the team.
void CpuOps::do_linear_each(std::span<const LinearTask> tasks, ConstMatrix x) {
  const std::size_t tokens = x.extent<Rows>(), columns = x.extent<Columns>();
  const auto any = [&](auto takes) {
    return std::any_of(tasks.begin(), tasks.end(), [&](const LinearTask& task) { return takes(task.w->dtype); });
  };
  const ActivationBlock* const quants = any(takes_blocks) ? quantized(x) : nullptr;
  const bool pairs = kernels_.round_to_bf16 != nullptr && any([](DType type) { return type == DType::bf16; });
  const std::uint16_t* const bf16_rows = pairs ? in_bf16(x) : nullptr;
  // Sets with registers enough multiply a prompt's tokens by two panels at a time, or four of bf16: where there are so
  // many that a thread still takes eight times, these are not parted.
  std::size_t panels = 0;
  for (const LinearTask& task : tasks) panels += panel_count(task.w->rows);
  const std::size_t step = tokens == 1 ? 1 : panels >= 32 * team_.size() ? 4 : panels >= 16 * team_.size() ? 2 : 1;
  products_.clear();
  std::size_t steps = 0, bytes = 0;
  for (const LinearTask& task : tasks) {
    const PackedMatrix& w = *task.w;
    const std::size_t count = panel_count(w.rows);
    products_.push_back({w.dtype,
                         step * steps,
                         {
                             .panels = panels_of(w),
                             .panel_bytes = panel_bytes(w.dtype, w.columns),
                             .rows = w.rows,
                             .columns = w.columns,
                             .bias = w.bias.empty() ? nullptr : w.bias.data(),
                             .blocks = quants,
                             .bf16_rows = bf16_rows,
                             .floats = x.data(),
                             .tokens = tokens,
                             .out = task.out.data(),
                             .out_stride = w.rows,
                             .first_panel = 0,
                             .end_panel = count,
                         }});
    steps += (count + step - 1) / step;
    bytes += count * panel_bytes(w.dtype, w.columns);
  }
  if (tokens == 1 && !tasks.empty()) expect_successor(*tasks[0].w, {products_[0].whole.panels, bytes});
  // By value: what a thread needs first then lies in the lines that it fetches as it comes, this closure and
  // `products`.
  const std::span<const SharedProduct> products = products_;
  const auto multiply = [products, step, &kernels = kernels_](std::size_t begin, std::size_t end) {
    for (const SharedProduct& product : products) {
      PanelProduct part = product.whole;
      part.first_panel = std::max(step * begin, product.first) - product.first;
      part.end_panel = std::min(std::max(step * end, product.first) - product.first, product.whole.end_panel);
      if (part.first_panel < part.end_panel) kernels.product(product.type)(part);
    }
  };
  const auto activations = quants != nullptr      ? std::as_bytes(std::span(quants, tokens * (columns / 32)))
                           : bf16_rows != nullptr ? std::as_bytes(std::span(bf16_rows, tokens * bf16_stride(columns)))
                                                  : std::as_bytes(x.span());
  share_rows(steps, bytes / std::max<std::size_t>(1, steps) / 2 * tokens, multiply,
             {std::as_bytes(products), activations});
}

void CpuOps::expect_successor(const PackedMatrix& first, std::span<const std::byte> panels) {
  if (successors_.size() <= first.id) successors_.resize(first.id + 1);
  // those of several matrices lie one after the other, because they were first used so
  successors_[previous_] = panels;
  previous_ = first.id;
  team_.announce(successors_[previous_]);
}

void CpuOps::do_rope(Tensor<float, Tokens, Heads, HeadDim> x, std::span<const std::uint32_t> positions,
                     const Rope& rope) {
  if (positions.empty()) return;
  const std::size_t half = rope.inverse_frequencies.size();
  const float* table = rope_table_.rows(rope, std::size_t{*std::max_element(positions.begin(), positions.end())} + 1);
  share_rows(positions.size(), x.extent<Heads>() * x.extent<HeadDim>(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t t = begin; t < end; ++t) {
      const float* cosine = table + positions[t] * 2 * half;
      for (std::size_t h = 0; h < x.extent<Heads>(); ++h) kernels_.rotate(x[t][h].data(), cosine, cosine + half, half);
    }
  });
}

void CpuOps::do_gate(Matrix out, ConstMatrix gate, ConstMatrix up, Activation activation) {
  const auto kernel = activation == Activation::silu ? kernels_.silu_gate : kernels_.gelu_gate;
  const std::size_t columns = gate.extent<Columns>();
  share_rows(gate.extent<Rows>(), columns, [&](std::size_t begin, std::size_t end) {
    for (std::size_t r = begin; r < end; ++r) kernel(out[r].data(), gate[r].data(), up[r].data(), columns);
  });
}

void CpuOps::do_add(Matrix x, ConstMatrix y) {
  share_rows(x.extent<Rows>(), x.extent<Columns>(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t r = begin; r < end; ++r) kernels_.add(x[r].data(), y[r].data(), x.extent<Columns>());
  });
}

}  // namespace rung
