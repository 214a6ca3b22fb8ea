// The host half against the fake runtime: what it says to Metal, and what it does when the system says no.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "base/error.h"
#include "engine/device.h"
#include "engine/session.h"
#include "kernels/metal/source.h"
#include "metal/fake/fake_metal.h"
#include "model/golden_model.h"
#include "ops/metal/metal.h"
#include "paths.h"

namespace rung {
namespace {

class MetalHost : public testing::Test {
 protected:
  void SetUp() override { settings() = {}, fake_metal::reset(); }
  void TearDown() override { settings() = {}; }
  static fake_metal::Settings& settings() { return fake_metal::settings(); }

  static std::string error_of(const auto& action) {
    try {
      action();
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
  static std::vector<float> feed(MetalOps& metal, const std::string& name = "llama", std::size_t tokens = 20) {
    const GoldenFiles files(golden_folder() / "models" / name);
    const Model model = bind_weights(files.plan, files.tensors());
    std::vector<std::int32_t> ids;
    for (std::size_t i = 0; i < tokens; ++i) ids.push_back(static_cast<std::int32_t>(i * 37 % model.config.vocab_size));
    Session session(model, metal);
    const auto logits = session.feed(ids);
    return {logits.begin(), logits.end()};
  }
};

// Whoever calls a method with another type reads other registers. The table is held against what Apple's headers say.
TEST_F(MetalHost, SendsOnlyMessagesThatAppleKnows) {
  for (const objc::MessageInfo& message : objc::messages().all()) {
    SCOPED_TRACE(message.name);
    const fake_metal::Selector* const golden =
        fake_metal::selector(std::string(message.owner), message.kind, message.name);
    ASSERT_NE(golden, nullptr) << message.owner;
    EXPECT_EQ(fake_metal::plain(message.encoding), golden->encoding);
    const std::string name = message.name;
    EXPECT_EQ(name.starts_with("new") || name == "retain", golden->gives_ownership || name == "retain");
  }
}

TEST_F(MetalHost, LeavesNothingBehind) {
  const auto before = fake_metal::report().live;  // what tests of the fake itself left
  {
    MetalOps metal;
    feed(metal);
    feed(metal, "gemma3");
  }
  EXPECT_EQ(fake_metal::report().findings, std::vector<std::string>{});
  EXPECT_EQ(fake_metal::report().live, before);
}

TEST_F(MetalHost, CompilesItsKernelsOnceAsASafeLanguageOfOneVersion) {
  MetalOps metal;
  feed(metal);
  ASSERT_EQ(fake_metal::report().libraries.size(), 1u);
  EXPECT_EQ(fake_metal::report().libraries[0].language_version, objc::kLanguage);
  EXPECT_EQ(fake_metal::report().libraries[0].math_mode, 0);
}

TEST_F(MetalHost, AsksForSafeMathematicsByItsOldNameToo) {
  settings().macos = 14;
  MetalOps metal;
  feed(metal);
  EXPECT_EQ(fake_metal::report().libraries.at(0).math_mode, -1);
  EXPECT_EQ(fake_metal::report().libraries.at(0).fast_math, 0);
}

TEST_F(MetalHost, SaysWhereThereIsNoGpu) {
  settings().has_device = false;
  EXPECT_NE(error_of([] { const Device device("metal"); }).find("no GPU"), std::string::npos);
}

// llama.cpp#1881: out of memory, and the answer is noise.
TEST_F(MetalHost, SaysWhatTheGpuSays) {
  MetalOps metal;
  settings().fail_command_buffer = 1;
  settings().command_error = fake_metal::CommandError::out_of_memory;
  EXPECT_NE(error_of([&] { feed(metal); }), "");
  EXPECT_FALSE(feed(metal).empty()) << "and goes on";
}

TEST_F(MetalHost, SaysThatAnObjectWasNotGiven) {
  for (const char* selector : {"newCommandQueue", "newLibraryWithSource:options:error:"}) {
    settings() = {.fail_selector = selector, .fail_call = 1};
    EXPECT_NE(error_of([] { MetalOps metal; }), "") << selector;
  }
  for (const char* selector :
       {"newBufferWithLength:options:", "newFunctionWithName:constantValues:error:",
        "newComputePipelineStateWithFunction:error:", "commandBuffer", "computeCommandEncoder"}) {
    settings() = {};
    MetalOps metal;
    settings() = {.fail_selector = selector, .fail_call = 1};
    EXPECT_NE(error_of([&] { feed(metal); }), "") << selector;
  }
}

// llama.cpp#1815: a matrix longer than a buffer may be. It is cut between rows, and nothing else changes.
TEST_F(MetalHost, CutsAMatrixThatIsLongerThanABuffer) {
  const GoldenFiles files(source_folder() / "models" / "pebble");
  const auto logits = [&] {
    const Model model = bind_weights(files.plan, files.tensors());
    MetalOps metal;
    Session session(model, metal);
    const std::vector<std::int32_t> ids{1, 1900, 3};  // 1900: of the last piece of the embedding
    const auto values = session.feed(ids);
    return std::vector<float>(values.begin(), values.end());
  };
  const std::vector<float> whole = logits();
  settings().max_buffer_length = 200'000;  // pebble's embedding has 786,432 bytes
  EXPECT_EQ(logits(), whole);
}

// Where the system lends no page, or an address is odd, weights are copied, and counted.
TEST_F(MetalHost, CopiesWhatItMayNotWrap) {
  MetalOps wraps;
  const std::vector<float> expected = feed(wraps);
  settings() = {.fail_selector = "newBufferWithBytesNoCopy:length:options:deallocator:", .fail_call = 1};
  MetalOps copies;
  EXPECT_EQ(feed(copies), expected);
  EXPECT_GT(copies.counts().copied_bytes, wraps.counts().copied_bytes);
}

TEST_F(MetalHost, SendsFiveMessagesADispatchAtMost) {
  MetalOps metal;
  feed(metal);
  const std::size_t dispatches = metal.counts().dispatches;
  std::size_t messages = 0;
  for (const char* name : {"setComputePipelineState:", "setBytes:length:atIndex:", "setBuffers:offsets:withRange:",
                           "setThreadgroupMemoryLength:atIndex:", "dispatchThreadgroups:threadsPerThreadgroup:",
                           "setBuffer:offset:atIndex:"}) {
    messages += fake_metal::report().calls.contains(name) ? fake_metal::report().calls.at(name) : 0;
  }
  EXPECT_LE(messages, 5 * dispatches);
  EXPECT_LE(fake_metal::report().statistics.threadgroup_bytes, 16u << 10);
}

TEST(KernelSource, NamesItsFiles) {
  const std::string source = gpu::kernel_source();
  for (const char* file : {"common.metal", "args.h", "linear.metal", "attention.metal"}) {
    EXPECT_NE(source.find("#line 1 \"" + std::string(file) + "\"\n"), std::string::npos) << file;
  }
}

}  // namespace
}  // namespace rung
