// Where memory ends: a matrix whose last byte is the last of its page, before one that nobody may touch. A kernel that
// reads beyond its rows, if only to throw away what it read, ends this program (candle#3880, rMLX#438).
#include <gtest/gtest.h>

#include <sys/mman.h>

#include <cstring>
#include <random>

#include "metal/fake/fake_metal.h"
#include "ops/metal/metal.h"
#include "ops/reference.h"
#include "ops/statistics.h"
#include "tensor/scale_offsets.h"

namespace rung {
namespace {

// Pages of the size of Apple's, and one that is not there. What is put into them ends where they end.
class LastPages {
 public:
  explicit LastPages(std::size_t bytes) : pages_((bytes + kPage - 1) / kPage * kPage) {
    memory_ = ::mmap(nullptr, pages_ + 2 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const auto at = reinterpret_cast<std::uintptr_t>(memory_);
    std::byte* const first = static_cast<std::byte*>(memory_) + (kPage - at % kPage) % kPage;
    ::mprotect(first + pages_, kPage, PROT_NONE);
    data_ = first + pages_ - bytes;
  }
  ~LastPages() { ::munmap(memory_, pages_ + 2 * kPage); }
  LastPages(const LastPages&) = delete;
  LastPages& operator=(const LastPages&) = delete;
  std::byte* data() const { return data_; }

 private:
  static constexpr std::size_t kPage = 16384;
  std::size_t pages_;
  void* memory_;
  std::byte* data_;
};

class MetalTails : public testing::TestWithParam<DType> {
 protected:
  void SetUp() override { fake_metal::settings() = {}, fake_metal::reset(); }

  // Blocks of any bits, with scales of a sensible size; of plain numbers, some around one.
  void fill(std::byte* rows, std::size_t bytes) {
    const DTypeInfo& i = info(GetParam());
    std::uniform_real_distribution<float> sensible(0.03f, 0.06f);
    for (std::size_t at = 0; at < bytes; ++at) rows[at] = static_cast<std::byte>(random_() & 255);
    for (std::size_t at = 0; at < bytes; at += i.bytes_per_block) {
      set_scales(rows + at, i.type, [&] { return sensible(random_); });
      if (i.values_per_block == 1) {
        rows[at + i.bytes_per_block - 1] = std::byte{0x3c};
      }
    }
  }
  std::mt19937 random_{1};
};

TEST_P(MetalTails, AreNotReadBeyond) {
  constexpr std::size_t kRows = 19, kColumns = 768, kMany = 35;
  const std::size_t bytes = kRows * row_bytes(GetParam(), kColumns);
  const LastPages pages(bytes);
  fill(pages.data(), bytes);
  MetalOps metal;
  PanelStore panels;
  PackedMatrix w{.name = "w",
                 .dtype = GetParam(),
                 .rows = kRows,
                 .columns = kColumns,
                 .data = pages.data(),
                 .bias = {},
                 .panels = &panels,
                 .id = panels.add()};
  ThreadTeam team(1);
  ReferenceOps reference(team);
  std::normal_distribution<float> normal;
  for (const std::size_t tokens : {std::size_t{1}, kMany}) {
    const auto memory_of = [&](std::size_t count) { return Buffer<float>(count, metal.memory(count * sizeof(float))); };
    const Buffer<float> x = memory_of(tokens * kColumns), out = memory_of(tokens * kRows);
    for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = normal(random_);
    std::vector<float> expected(tokens * kRows);
    metal.do_linear({out.data(), {tokens, kRows}}, {x.data(), {tokens, kColumns}}, w);
    metal.finish();
    reference.do_linear({expected.data(), {tokens, kRows}}, {x.data(), {tokens, kColumns}}, w);
    EXPECT_LE(relative_distance({out.data(), out.size()}, expected), 1e-6) << tokens << " tokens";
  }
  const std::vector<std::int32_t> ids{kRows - 1, 0};
  const Buffer<float> row(ids.size() * kColumns, metal.memory(ids.size() * kColumns * sizeof(float)));
  std::vector<float> expected(row.size());
  metal.do_embed({row.data(), {ids.size(), kColumns}}, ids, w, 1.0f);
  metal.finish();
  reference.do_embed({expected.data(), {ids.size(), kColumns}}, ids, w, 1.0f);
  EXPECT_LE(relative_distance({row.data(), row.size()}, expected), 1e-6);
  EXPECT_EQ(fake_metal::report().findings, std::vector<std::string>{});
}

std::vector<DType> all_types() {
  std::vector<DType> all;
  for (const DTypeInfo& type : kDTypes) all.push_back(type.type);
  return all;
}

INSTANTIATE_TEST_SUITE_P(Formats, MetalTails, testing::ValuesIn(all_types()),
                         [](const auto& type) { return std::string(rung::info(type.param).name); });

}  // namespace
}  // namespace rung
