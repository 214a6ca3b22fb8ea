// The rows of a batch as the kernels of attention see them: tiles of up to eight, and where their keys lie.  Milestone
// M7.
#include <algorithm>

#include "base/ensure.h"
#include "kernels/metal/args.h"
#include "ops/metal/metal.h"

namespace rung {

using metal::Kernel;
using metal::Place;

namespace {

// Few tiles leave most of a GPU idle, when each goes through its blocks alone: so a block is a SIMD group's, and the
// results of all blocks are combined after. Many tiles are enough, and spare the memory between.
constexpr std::size_t kFewTiles = 64;

std::uint32_t head_bytes_of(const KvShape& shape) {
  return static_cast<std::uint32_t>(kKvBlock * shape.bytes_per_head());
}
std::uint32_t layer_bytes_of(const KvShape& shape, std::size_t layer) {
  return static_cast<std::uint32_t>(layer * shape.kv_heads * 2 * kKvBlock * shape.bytes_per_head());
}

}  // namespace

MetalOps::RowTables& MetalOps::tables_of(const BatchRows& rows) {
  for (RowTables& known : tables_) {
    if (std::equal(known.positions.begin(), known.positions.end(), rows.positions.begin(), rows.positions.end()) &&
        std::equal(known.caches.begin(), known.caches.end(), rows.caches.begin(), rows.caches.end())) {
      return known;
    }
  }
  RowTables& made = tables_.emplace_back();
  made.positions.assign(rows.positions.begin(), rows.positions.end());
  made.caches.assign(rows.caches.begin(), rows.caches.end());
  std::vector<std::uint64_t> own, blocks;  // addresses
  for (std::size_t t = 0; t < rows.size(); ++t) {
    const bool first = t == 0 || rows.caches[t] != rows.caches[t - 1];
    const auto at = static_cast<std::uint32_t>(blocks.size());
    made.blocks_at.push_back(first ? at : made.blocks_at.back());
    // The sequence's blocks up to this row's.
    for (std::size_t b = blocks.size() - made.blocks_at.back(); b <= rows.positions[t] / kKvBlock; ++b) {
      blocks.push_back(gpu_.address(rows.caches[t]->key_block(0, b, 0)));
    }
    own.push_back(blocks[made.blocks_at.back() + rows.positions[t] / kKvBlock]);
  }
  made.position_table = upload(rows.positions);
  made.own_blocks = upload(std::span<const std::uint64_t>(own));
  made.blocks = upload(std::span<const std::uint64_t>(blocks));
  return made;
}

// A tile's rows are neighbours in one sequence, so that one look at a block of keys serves all.
const MetalOps::Tiles& MetalOps::tiles_of(RowTables& tables, std::size_t window_tokens, std::size_t group) {
  for (const Tiles& known : tables.tiles) {
    if (known.window_tokens == window_tokens && known.group == group) return known;
  }
  std::vector<gpu::AttentionTile> tiles;
  std::size_t most_blocks = 0;
  const std::size_t tokens = tables.positions.size();
  for (std::size_t begin = 0, end = 0; begin < tokens; begin = end) {
    while (end < tokens && tables.caches[end] == tables.caches[begin]) ++end;
    const std::size_t pairs = (end - begin) * group;
    for (std::size_t pair = 0; pair < pairs; pair += gpu::kTile) {
      const std::size_t last = std::min(pairs, pair + gpu::kTile);
      const std::size_t first_seen = tables.positions[begin + pair / group] + std::size_t{1};
      const std::size_t start = window_tokens != 0 && first_seen > window_tokens ? first_seen - window_tokens : 0;
      const auto first_block = static_cast<std::uint32_t>(start / kKvBlock);
      const auto end_block = static_cast<std::uint32_t>(tables.positions[begin + (last - 1) / group] / kKvBlock + 1);
      tiles.push_back({.first_token = static_cast<std::uint32_t>(begin),
                       .first_pair = static_cast<std::uint32_t>(pair),
                       .end_pair = static_cast<std::uint32_t>(last),
                       .blocks_at = tables.blocks_at[begin],
                       .first_block = first_block,
                       .end_block = end_block});
      most_blocks = std::max<std::size_t>(most_blocks, end_block - first_block);
    }
  }
  const Place uploaded = upload(std::span<const gpu::AttentionTile>(tiles));
  tables.tiles.push_back({window_tokens, group, uploaded, std::move(tiles), most_blocks});
  return tables.tiles.back();
}

void MetalOps::do_store_kv(const BatchRows& rows, std::size_t layer, Tensor<const float, Tokens, KvHeads, HeadDim> k,
                           Tensor<const float, Tokens, KvHeads, HeadDim> v) {
  if (rows.size() == 0) return;
  const KvShape& shape = rows.caches[0]->shape();
  const RowTables& tables = tables_of(rows);
  const gpu::StoreArgs args{
      .kv_heads = static_cast<std::uint32_t>(shape.kv_heads),
      .head_dim = static_cast<std::uint32_t>(shape.head_dim),
      .head_bytes = head_bytes_of(shape),
      .layer_bytes = layer_bytes_of(shape, layer),
  };
  steps_.push_back(
      StoreStep{k.data(), v.data(), args, rows.size(), shape.dtype, tables.position_table, tables.own_blocks});
}

void MetalOps::do_attention(Tensor<float, Tokens, Heads, HeadDim> out, Tensor<const float, Tokens, Heads, HeadDim> q,
                            const BatchRows& rows, std::size_t layer, const AttentionSettings& settings) {
  if (rows.size() == 0) return;
  const KvShape& shape = rows.caches[0]->shape();
  const std::size_t heads = q.extent<Heads>();
  ensure(heads % shape.kv_heads == 0, "Metal: heads that do not share keys evenly");
  RowTables& tables = tables_of(rows);
  const Tiles& tiles = tiles_of(tables, settings.window_tokens, heads / shape.kv_heads);
  const gpu::AttentionArgs args{
      .heads = static_cast<std::uint32_t>(heads),
      .kv_heads = static_cast<std::uint32_t>(shape.kv_heads),
      .head_dim = static_cast<std::uint32_t>(shape.head_dim),
      .head_bytes = head_bytes_of(shape),
      .layer_bytes = layer_bytes_of(shape, layer),
      .most_blocks = static_cast<std::uint32_t>(tiles.most_blocks),
      .window_tokens = static_cast<std::uint32_t>(settings.window_tokens),
      .scale = settings.scale,
  };
  const auto cache = static_cast<std::uint32_t>(shape.dtype);
  const Place to = place(out.data()), from = place(q.data());
  const std::size_t tile_bytes = shape.kv_heads * tiles.most_blocks * gpu::kTile * (shape.head_dim + 2) * sizeof(float);
  const bool splits = tiles.list.size() <= kFewTiles && tiles.most_blocks > 1 && tile_bytes <= most_partial_bytes_;
  const std::size_t most_tiles = splits ? most_partial_bytes_ / tile_bytes : tiles.list.size();
  const Place partial = splits ? partial_of(std::min(most_tiles, tiles.list.size()) * tile_bytes) : Place{};
  const std::size_t padded = (shape.head_dim + 7) / 8 * 8;
  const std::size_t block_work = shape.kv_heads * gpu::kTile * kKvBlock * 2 * padded;
  for (std::size_t first = 0, end = 0; first < tiles.list.size(); first = end) {
    // As many tiles as there is room for, and as one command buffer should have work.
    std::size_t work = 0;
    do {
      work += (tiles.list[end].end_block - tiles.list[end].first_block) * block_work;
      ++end;
    } while (end < tiles.list.size() && end - first < most_tiles && work < gpu_.most_work());
    const std::size_t count = end - first;
    const Place some{tiles.place.buffer, tiles.place.offset + first * sizeof(gpu::AttentionTile)};
    if (!splits) {
      kernel_step(Kernel::attention, cache, args, {to, from, tables.position_table, tables.blocks, some},
                  {{count, shape.kv_heads, 1}, gpu::kSimd, padded * gpu::kTile * sizeof(float)}, work);
      continue;
    }
    kernel_step(Kernel::attention_blocks, cache, args, {partial, from, tables.position_table, tables.blocks, some},
                {{count, shape.kv_heads, tiles.most_blocks}, gpu::kSimd}, work);
    kernel_step(Kernel::attention_combine, 0, args, {to, partial, tables.position_table, some},
                {{count, shape.kv_heads, gpu::kTile}, gpu::kSimd});
  }
}

// A step that is not recorded yet may still want the old memory.
Place MetalOps::partial_of(std::size_t bytes) {
  if (partial_bytes_ < bytes) {
    const std::size_t twice = std::min(2 * bytes, most_partial_bytes_);  // it grows with the context
    std::unique_ptr<BackendMemory> more = gpu_.memory(twice);
    if (partial_ != nullptr) retired_.push_back(std::move(partial_));
    partial_ = std::move(more);
    partial_bytes_ = twice;
  }
  return gpu_.place(partial_->data());
}

}  // namespace rung
