// The tile registers of AMX.  Milestone M6.
//
// Included inside a target region and anonymous namespace. The compilers' own intrinsics do not all say what memory
// they read and write, so these statements do, except for activations: nobody writes them meanwhile. (Intel 64 and
// IA-32 Architectures Software Developer's Manual, volume 1, chapter 18.)
#pragma once

constexpr std::size_t kRowsOfTile = 16;

template <int kTile, class Tile>
void load_tile(const Tile& tile) {
  asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(&tile), "r"(std::size_t{64}), "i"(kTile), "m"(tile));
}
// A token a row, `stride` bytes apart.
template <int kTile>
void load_tokens(const void* first, std::size_t stride) {
  asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(first), "r"(stride), "i"(kTile));
}
template <int kTile, class Sums>
void store_tile(Sums& sums) {
  asm volatile("tilestored %%tmm%c3, (%1,%2,1)" : "=m"(sums) : "r"(&sums), "r"(std::size_t{64}), "i"(kTile));
}
template <int kTile>
void clear_tile() {
  asm volatile("tilezero %%tmm%c0" : : "i"(kTile));
}
// C += A·B: of signed bytes, into 32 bits.
template <int kC, int kA, int kB>
void multiply_tiles() {
  asm volatile("tdpbssd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kC), "i"(kA), "i"(kB));
}
// C += A·B: of bf16, into f32.
template <int kC, int kA, int kB>
void multiply_bf16_tiles() {
  asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kC), "i"(kA), "i"(kB));
}

// Rows and bytes a row of each tile register, as ldtilecfg reads them.
struct alignas(64) TileShapes {
  std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
  std::uint16_t row_bytes[16] = {};
  std::uint8_t rows[16] = {};
  void set(int tile, std::size_t rows_of_it, std::size_t bytes) {
    rows[tile] = static_cast<std::uint8_t>(rows_of_it);
    row_bytes[tile] = static_cast<std::uint16_t>(bytes);
  }
};
static_assert(sizeof(TileShapes) == 64);

// While it lives, this thread's tile registers have these shapes.
class ShapedTiles {
 public:
  explicit ShapedTiles(const TileShapes& shapes) { asm volatile("ldtilecfg %0" : : "m"(shapes)); }
  ~ShapedTiles() { asm volatile("tilerelease"); }
  ShapedTiles(const ShapedTiles&) = delete;
  ShapedTiles& operator=(const ShapedTiles&) = delete;
};
