// Kernels with planted faults: each is found, by the mode that should find it, and what is sound is left alone.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "metal/emulator_for_tests.h"

namespace metal_emulator {
namespace {

const std::string faults = kernel_file("faults.metal");

struct Planted {
  const char* kernel;
  const char* says;
  unsigned groups = 1, threads = 256;
};

void PrintTo(const Planted& planted, std::ostream* out) { *out << planted.kernel; }

std::string fault_of(const Planted& planted, Build build, const Options& options = {}) {
  std::vector<float> out(512), in(256, 1.f);
  Kernels kernels{faults, build};
  Dispatch d = kernels.dispatch(planted.kernel);
  d.buffers[0] = {out.data(), 256 * sizeof(float)};
  d.buffers[1] = {in.data(), in.size() * sizeof(float)};
  for (int i = 0; i < d.kernel->argument_count; ++i) {
    if (d.kernel->arguments[i].role == msl::Role::threadgroup_memory) d.threadgroup_bytes[0] = 255 * 4 / 16 * 16;
  }
  d.groups = {planted.groups, 1, 1};
  d.threads_per_group = {planted.threads, 1, 1};
  d.options = options;
  return fault_in(d);
}

class FoundInEveryMode : public testing::TestWithParam<Planted> {};

TEST_P(FoundInEveryMode, AsWritten) { EXPECT_CONTAINS(fault_of(GetParam(), Build::plain), GetParam().says); }

INSTANTIATE_TEST_SUITE_P(
    Faults, FoundInEveryMode,
    testing::Values(Planted{"barrier_in_branch", "threadgroup_barrier reached by 100 of 256 threads"},
                    Planted{"returns_before_barrier", "threadgroup_barrier reached by 200 of 256 threads"},
                    Planted{"different_barriers", "different threadgroup_barriers"},
                    Planted{"matrix_in_branch", "has all lanes"},
                    Planted{"too_much_memory", "36000 bytes of threadgroup memory, expected at most 32768"},
                    Planted{"sound", "512 threads in a threadgroup, of 256", 1, 512}),
    testing::PrintToStringParamName());

class FoundWhenStrict : public testing::TestWithParam<Planted> {};

TEST_P(FoundWhenStrict, Only) {
  EXPECT_EQ(fault_of(GetParam(), Build::plain), "");
  EXPECT_CONTAINS(fault_of(GetParam(), Build::plain, {.strict = true}), GetParam().says);
}

INSTANTIATE_TEST_SUITE_P(
    Faults, FoundWhenStrict,
    testing::Values(Planted{"divergent_sum", "SIMD operation reached by lanes 0000007f of ffffffff"},
                    Planted{"divergent_quad", "SIMD operation reached by lanes 0000003f of 000000ff"},
                    Planted{"shuffle_from_nobody", "SIMD operation reached by lanes 0000ffff"}),
    testing::PrintToStringParamName());

class FoundWhenChecked : public testing::TestWithParam<Planted> {};

TEST_P(FoundWhenChecked, WithItsLine) {
  const std::string found = fault_of(GetParam(), Build::checked);
  EXPECT_CONTAINS(found, GetParam().says);
  EXPECT_CONTAINS(found, "faults.metal:");
}

INSTANTIATE_TEST_SUITE_P(
    Faults, FoundWhenChecked,
    testing::Values(Planted{"missing_barrier", "unordered after a write (threadgroup memory)"},
                    Planted{"reused_too_soon", "write unordered after a read (threadgroup memory)"},
                    Planted{"trusts_lockstep", "read unordered after a write (threadgroup memory)"},
                    Planted{"wrong_flag", "unordered after a write (threadgroup memory)"},
                    Planted{"two_threads_one_place", "unordered after a write (device memory)"},
                    Planted{"asks_another_group", "of another threadgroup", 4, 64},
                    Planted{"never_written", "read of threadgroup memory that was never written"},
                    Planted{"writes_past_the_end", "write outside of every buffer"},
                    Planted{"reads_before_the_start", "read outside of every buffer"},
                    Planted{"past_threadgroup_memory", "write outside of threadgroup memory"},
                    Planted{"past_an_array", "an index is out of its array's bounds"},
                    Planted{"past_a_private_array", "an index is out of its array's bounds"},
                    Planted{"misaligned", "not aligned for its type"}),
    testing::PrintToStringParamName());

TEST(Sound, IsFaultlessInEveryMode) {
  for (const Mode& mode : modes()) {
    EXPECT_EQ(fault_of({"sound", ""}, mode.build, mode.options), "") << mode.name;
  }
}

// ---- faults that show in the numbers ----

std::vector<float> output_of(const char* kernel, Build build, const Options& options, float in = 1.f) {
  std::vector<float> out(256), ins(256, in);
  std::vector<unsigned> counter(1);
  Kernels kernels{faults, build};
  Dispatch d = kernels.dispatch(kernel);
  d.buffers[0] = {out.data(), out.size() * sizeof(float)};
  d.buffers[1] = {ins.data(), ins.size() * sizeof(float)};
  if (std::string{kernel} == "first_come") d.buffers[1] = {counter.data(), sizeof(unsigned)};
  d.threads_per_group = {256, 1, 1};
  d.options = options;
  run(d);
  return out;
}

TEST(Seeds, ShuffleTheOrderOfThreads) {
  const std::vector<float> in_order = output_of("first_come", Build::plain, {});
  const std::vector<float> one = output_of("first_come", Build::plain, {.seed = 1});
  const std::vector<float> two = output_of("first_come", Build::plain, {.seed = 2});
  EXPECT_NE(in_order, one);
  EXPECT_NE(one, two);
  EXPECT_EQ(two, output_of("first_come", Build::plain, {.seed = 2}));
}

TEST(Seeds, LeaveTheBitsOfASoundKernel) {
  EXPECT_EQ(output_of("cancels", Build::plain, {}), output_of("cancels", Build::plain, {.seed = 3}));
}

TEST(Reductions, AddUpInAnotherOrderWhenAsked) {
  EXPECT_NE(output_of("cancels", Build::plain, {}), output_of("cancels", Build::plain, {.reorder_reductions = true}));
}

TEST(Denormals, AreKeptOrFlushed) {
  const float tiny = 2e-38f;  // its half is a denormal
  EXPECT_NEAR(output_of("needs_denormals", Build::plain, {}, tiny)[0], 1.f, 1e-5f);
  EXPECT_EQ(output_of("needs_denormals", Build::plain, {.flush_denormals = true}, tiny)[0], 0.f);
}

TEST(Contraction, IsAllowedInItsBuildAlone) {
  EXPECT_EQ(output_of("needs_no_contraction", Build::plain, {}, 1.1f)[0], 0.f);
  EXPECT_NE(output_of("needs_no_contraction", Build::contracted, {}, 1.1f)[0], 0.f);
}

TEST(Exp, IsApproximateWhenAsked) {
  const float x = -41.3f, exact = output_of("needs_an_exact_exp", Build::plain, {}, x)[0];
  const float fast = output_of("needs_an_exact_exp", Build::plain, {.approximate_exp = true}, x)[0];
  EXPECT_NE(exact, fast);
  const float units = std::floor(std::fabs(2 * x)) + 3;  // of the last place: the bound of the specification
  EXPECT_NEAR(exact, fast, units * (std::nextafter(exact, 1.f) - exact));
}

}  // namespace
}  // namespace metal_emulator
