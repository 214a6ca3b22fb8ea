// A model's weights for the GPU: where the file is mapped, if that can be.  Milestone M7.
//
//   the file      │ page │ page │ page │ page │ page │ page │         16 KB each
//   a matrix            [──────────────────]
//   its buffer       [─────────────────────────]                      whole pages; the matrix begins at an offset in it
//
// Neighbours share the pages at their ends: buffers may overlap. A matrix that is longer than a buffer may be is cut
// between rows into several. What lies at an odd address, where the GPU could not read two bytes at once, is copied; so
// is what the system will not lend; Counts says how much of each there is. (Of the pages lent, kernels read the matrix
// alone; that the others exist is the processor's care: it has no smaller ones.)
#include <cstdint>

#include "base/ensure.h"
#include "base/error.h"
#include "ops/metal/metal.h"

namespace rung {

class MetalOps::Weights : public PanelStore::Companion {
 public:
  std::vector<std::vector<WeightPiece>> by_id;
};

const std::vector<MetalOps::WeightPiece>& MetalOps::pieces_of(const PackedMatrix& w) {
  ensure(w.panels != nullptr, "MetalOps: a matrix without an owner who keeps its buffers");
  auto& weights = static_cast<Weights&>(w.panels->companion(number_, [] { return std::make_unique<Weights>(); }));
  if (weights.by_id.size() <= w.id) weights.by_id.resize(w.id + 1);
  std::vector<WeightPiece>& pieces = weights.by_id[w.id];
  if (pieces.empty()) pieces = make_pieces(w);
  return pieces;
}

std::vector<MetalOps::WeightPiece> MetalOps::make_pieces(const PackedMatrix& w) {
  constexpr std::size_t page = std::size_t{16} << 10;  // of Apple's processors
  const std::size_t row = row_bytes(w.dtype, w.columns), most = gpu_.most_bytes();
  std::size_t rows = w.rows;
  if (w.bytes() + 2 * page > most) {
    // RoPE's pairs may be neighbours in the file: then a head stays whole.
    const std::size_t unit = w.neighbours_head_dim == 0 ? 1 : w.neighbours_head_dim;
    rows = most > 2 * page ? (most - 2 * page) / row / unit * unit : 0;
    if (rows == 0) {
      fail("tensor '{}': a row of {} bytes, but the GPU's buffers have at most {}", w.name, row, most);
    }
  }
  const std::size_t alignment = w.dtype == DType::f32 ? 4 : w.dtype == DType::mxfp4 ? 1 : 2;
  std::vector<WeightPiece> pieces;
  for (std::size_t first = 0; first < w.rows; first += rows) {
    const std::size_t count = std::min(rows, w.rows - first);
    const std::span<const std::byte> bytes(w.data + first * row, count * row);
    const std::size_t before = reinterpret_cast<std::uintptr_t>(bytes.data()) % page;
    const std::size_t whole = (before + bytes.size() + page - 1) / page * page;
    metal::KeptBuffer lent;
    if (before % alignment == 0) lent = gpu_.wrap(bytes.data() - before, whole);
    if (lent) {
      pieces.push_back({std::move(lent), before, first, count});
    } else {
      pieces.push_back({gpu_.copy(bytes), 0, first, count});
    }
  }
  return pieces;
}

}  // namespace rung
