// What the emulator knows of the Metal Shading Language: each part by a kernel of kernels/language.metal, in every
// mode.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "emulator/runtime/traffic.h"
#include "metal/emulator_for_tests.h"

namespace metal_emulator {
namespace {

const std::string language = kernel_file("language.metal");
constexpr unsigned threads = 64;

// The floats that a kernel gives, the same in every mode, of which each says its name when it differs.
struct Given {
  std::map<unsigned, Memory> buffers = {};
  std::map<unsigned, std::vector<unsigned char>> constants = {};
  std::vector<Memory> reachable = {};
  unsigned thread_count = threads;
};

std::vector<float> output_of(const char* kernel, std::size_t count, const Given& given = {}) {
  std::vector<float> first;
  for (const Mode& mode : modes()) {
    std::vector<float> out(count, -1.f);
    Kernels kernels{language, mode.build};
    Dispatch d = kernels.dispatch(kernel);
    d.buffers = given.buffers;
    d.buffers[0] = {out.data(), out.size() * sizeof(float)};
    d.constants = given.constants;
    d.reachable = given.reachable;
    d.threads_per_group = {given.thread_count, 1, 1};
    d.options = mode.options;
    EXPECT_EQ(fault_in(d), "") << kernel << ", " << mode.name;
    if (first.empty()) first = out;
    EXPECT_EQ(out, first) << kernel << ", " << mode.name;
  }
  return first;
}

// Row i of 16 columns.
std::vector<float> row(const std::vector<float>& out, unsigned i, unsigned columns) {
  const auto begin = out.begin() + 16 * i;
  return {begin, begin + columns};
}

TEST(Kernels, AreWrittenInManyWays) {
  EXPECT_EQ(output_of("by_attribute", threads)[9], 1);
  EXPECT_EQ(output_of("limited", threads)[9], 2);
  EXPECT_EQ(output_of("templated_float_3", threads)[9], 12);
  EXPECT_EQ(output_of("templated_float_5", threads)[9], 14);
  std::vector<float> in(threads, 7.f);
  EXPECT_EQ(output_of("without_indices", threads, {.buffers = {{1, {in.data(), threads * sizeof(float)}}}})[9], 7);
}

TEST(Kernels, SayHowManyThreadsTheyTake) {
  EXPECT_EQ(metal_emulator::Kernels{language}.dispatch("limited").kernel->max_threads, 64u);
  EXPECT_EQ(metal_emulator::Kernels{language}.dispatch("by_attribute").kernel->max_threads, 1024u);
}

TEST(FunctionConstants, AreSetAndDerivedAndDecideOverArguments) {
  const std::vector<unsigned char> five{5, 0, 0, 0};
  std::vector<float> bias(threads, 0.25f);
  EXPECT_EQ(output_of("with_constants", threads, {.constants = {{0, five}}})[3], 10);
  EXPECT_EQ(output_of("with_constants", threads, {.constants = {{1, {0}}}})[3], 1000);
  EXPECT_EQ(
      output_of("with_constants", threads,
                {.buffers = {{1, {bias.data(), threads * sizeof(float)}}}, .constants = {{0, five}, {1, {1}}}})[3],
      10.25f);
}

TEST(Pointers, InsideArgumentsAreFollowedWhereTheyMayBe) {
  std::vector<float> leaf(threads, 1.f), other(threads, 10.f);
  const float* branch[2] = {leaf.data(), other.data()};
  struct {
    const float* leaf;
    const float** branch;
  } tree{leaf.data(), branch};
  const Given given{
      .buffers = {{1, {&tree, sizeof tree}}},
      .reachable = {
          {leaf.data(), threads * sizeof(float)}, {other.data(), threads * sizeof(float)}, {branch, sizeof branch}}};
  EXPECT_EQ(output_of("pointers_in_a_struct", threads, given)[5], 11);
}

TEST(Positions, AreThoseOfTheGrid) {
  std::vector<unsigned> out(16 * 12 * 20);
  Dispatch d = Kernels{language}.dispatch("positions");
  d.buffers[0] = {out.data(), out.size() * sizeof(unsigned)};
  d.counts_threads = true;
  d.groups = {12, 20, 1};  // in groups of 8 × 8: the last ones are smaller
  d.threads_per_group = {8, 8, 1};
  EXPECT_EQ(run(d).threads, 12u * 20u);
  const auto at = [&](unsigned x, unsigned y) {
    const auto begin = out.begin() + 16 * (x + 12 * y);
    return std::vector<unsigned>(begin, begin + 13);
  };
  EXPECT_EQ(at(3, 2), (std::vector<unsigned>{0, 203, 19, 19, 0, 3, 4, 64, 6, 240, 32, 2, 16}));
  EXPECT_EQ(at(11, 19), (std::vector<unsigned>{21, 303, 15, 15, 0, 3, 3, 16, 6, 240, 32, 1, 4}));
}

TEST(Lanes, Shuffle) {
  const std::vector<float> out = output_of("shuffles", 16 * threads);
  EXPECT_EQ(row(out, 33, 13), (std::vector<float>{37, 34, 35, 33, 34, 63, 32, 35, 1063 - 32 + 32, 32, 34, 34, 32}));
  EXPECT_EQ(row(out, 31, 13), (std::vector<float>{5, 28, 31, 29, 0, 31, 0, 1001, 29, 30, 30, 31, 30}));
}

TEST(Lanes, Reduce) {
  const std::vector<float> out = output_of("reductions", 16 * threads);
  EXPECT_EQ(row(out, 5, 14), (std::vector<float>{496, 31, 0, 24, 32, 0, 22, 7, 8, 31, 0, 15, 10, 8}));
}

TEST(Lanes, Vote) {
  const std::vector<float> out = output_of("votes", 16 * threads);
  EXPECT_EQ(row(out, 6, 8), (std::vector<float>{1, 1, 0, 7, 0, 1, 0, 32}));
  EXPECT_EQ(row(out, 32, 8), (std::vector<float>{1, 1, 0, 7, 1, 0, 1, 32}));
}

TEST(Matrices, Multiply) {
  std::vector<float> a(64), b(64);
  for (unsigned i = 0; i < 64; ++i) {
    a[i] = static_cast<float>(i % 7);
    b[i] = static_cast<float>(i % 5) - 2;
  }
  const Given given{.buffers = {{1, {a.data(), 256}}, {2, {b.data(), 256}}}, .thread_count = 32};
  const std::vector<float> out = output_of("matrix_product", 64, given);
  for (unsigned r = 0; r < 8; ++r) {
    for (unsigned c = 0; c < 8; ++c) {
      double sum = 0.5;
      for (unsigned k = 0; k < 8; ++k) sum += static_cast<double>(a[8 * r + k] * b[8 * c + k]);
      EXPECT_EQ(out[8 * r + c], sum) << r << ", " << c;
    }
  }
}

TEST(Matrices, OfHalvesAddUpInFloats) {
  std::vector<std::uint16_t> ones(64, 0x3c00);
  const Given given{.buffers = {{1, {ones.data(), 128}}}, .thread_count = 32};
  const std::vector<float> out = output_of("half_matrix_product", 64, given);
  EXPECT_EQ(out[0], 9);
  EXPECT_EQ(out[1], 8);
}

TEST(Matrices, LieOverLanesAsOnApplesHardware) {
  const std::vector<float> out = output_of("matrix_elements", 64, {.thread_count = 32});
  EXPECT_EQ(std::vector<float>(out.begin(), out.begin() + 8), (std::vector<float>{0, 1, 2, 3, 16, 17, 18, 19}));
  EXPECT_EQ(out[32], 32);  // row 4: lane 16
}

TEST(ThreadgroupMemory, IsZeroWhereItSaysSo) {
  const std::vector<float> out = output_of("zeroed", threads);
  EXPECT_EQ(out[4], 0);
  EXPECT_EQ(out[5], 5);
}

TEST(ThreadgroupMemory, HasSeveralVariables) { EXPECT_EQ(output_of("two_variables", threads)[3], 60 + 160 + 4); }

TEST(Atomics, CountEachThreadOnce) {
  for (const Mode& mode : modes()) {
    unsigned count = 0;
    int extremes[2] = {};
    Dispatch d = Kernels{language, mode.build}.dispatch("atomics");
    d.buffers = {{0, {&count, sizeof count}}, {1, {extremes, sizeof extremes}}};
    d.groups = {3, 1, 1};
    d.threads_per_group = {threads, 1, 1};
    d.options = mode.options;
    EXPECT_EQ(fault_in(d), "") << mode.name;
    EXPECT_EQ(count, 3 * threads);
    EXPECT_EQ(extremes[0], 63);
    EXPECT_EQ(extremes[1], -63);
  }
}

TEST(Structs, LieAsInC) {
  struct {
    std::uint16_t scale;
    signed char q[32];
  } block[2] = {};
  static_assert(sizeof(block) == 68);
  block[1].scale = 0x3800;  // one half
  block[1].q[1] = -6;
  EXPECT_EQ(output_of("blocks", threads, {.buffers = {{1, {block, sizeof block}}}})[33], -3);
}

TEST(Numbers, AreMetals) {
  EXPECT_EQ(output_of("numbers", 16),
            (std::vector<float>{21, 10, -1.5f, 1.0f, 2, 2, 3, 7, 0.5f, 1, 1, 0xbc, 4, 7, 7, 3 + 12 + 16}));
}

// ---- bytes and cache lines ----

TrafficOf traffic_of(const char* kernel, std::vector<std::uint16_t>& in) {
  std::vector<float> out(threads);
  Dispatch d = Kernels{language, Build::checked}.dispatch(kernel);
  d.buffers[0] = {out.data(), out.size() * sizeof(float)};
  d.buffers[1] = {in.data(), in.size() * 2};
  d.threads_per_group = {threads, 1, 1};
  Traffic::instance().start();
  EXPECT_EQ(fault_in(d), "");
  Traffic::instance().stop();
  return Traffic::instance().of(d.buffers[1]);
}

TEST(Traffic, CountsAVectorAsOneLoadAndLinesOverAllLanes) {
  std::vector<std::uint16_t> in(4 * 16 * threads + 64);
  const TrafficOf near = traffic_of("neighbours", in);
  EXPECT_EQ(near.bytes_read, 8u * threads);
  EXPECT_EQ(near.group_bytes_read, 8u * threads);
  EXPECT_NEAR(static_cast<double>(near.lines_together), static_cast<double>(near.least_lines_together), 2);
  const TrafficOf far = traffic_of("strangers", in);
  EXPECT_EQ(far.bytes_read, 8u * threads);
  EXPECT_GE(far.group_lines_read, threads);
  EXPECT_GE(far.lines_together, 8 * far.least_lines_together);
}

}  // namespace
}  // namespace metal_emulator
