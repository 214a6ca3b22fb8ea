// The host half against the fake runtime: what it says to Metal, and what it does when the system says no.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "base/error.h"
#include "engine/device.h"
#include "engine/session.h"
#include "kernels/metal/args.h"
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
  void TearDown() override { settings() = {}, fake_metal::reset(); }
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

// No pool is here but the host's own: what would be left to none is a finding, too (modular#6816, candle#3755,
// llama.cpp#27883).
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
  feed(metal, "gemma3");  // another model, another session (llama.cpp#12199)
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

TEST_F(MetalHost, RefusesAGpuThatIsNotApples) {
  settings().apple_family = 0;
  settings().device_name = "AMD Radeon Pro 5500M";
  EXPECT_EQ(error_of([] { const Device device("metal"); }),
            "--device metal: AMD Radeon Pro 5500M: not a GPU of Apple's own (a Mac with an M1 or later has one)");
}

// Of the family Apple5, it says; what it does is the GPU's of the machine below (slang-rhi#725).
TEST_F(MetalHost, TakesTheGpuOfAVirtualMachine) {
  settings().apple_family = 5;
  settings().device_name = "Apple Paravirtual device";
  MetalOps metal;
  EXPECT_TRUE(metal.is_virtual());
}

// llama.cpp#1881: out of memory, and the answer is noise.
TEST_F(MetalHost, SaysWhatTheGpuSays) {
  using fake_metal::CommandError;
  MetalOps metal;
  const auto error_with = [&](CommandError code) {
    settings().fail_command_buffer = 1;
    settings().command_error = code;
    return error_of([&] { feed(metal); });
  };
  EXPECT_NE(error_with(CommandError::out_of_memory).find("Insufficient Memory"), std::string::npos);
  EXPECT_NE(error_with(CommandError::timeout).find("GPU Timeout"), std::string::npos);
  EXPECT_NE(error_with(CommandError::page_fault).find("Address Fault"), std::string::npos);
  EXPECT_EQ(fake_metal::report().waited_ms, 3'000u) << "at most a second each: a failed buffer raises no event";
  EXPECT_FALSE(feed(metal).empty()) << "and goes on";
}

// llama.cpp#12277: the GPU never answers.
TEST_F(MetalHost, WaitsAMinuteForAGpuAndNoLonger) {
  MetalOps metal;
  settings().hang_command_buffer = 1;
  const std::string error = error_of([&] { feed(metal); });
  EXPECT_EQ(error, "CPU emulator: the GPU has not finished its work within 60 seconds");
  EXPECT_EQ(fake_metal::report().waited_ms, 60'000u);
  EXPECT_EQ(error_of([&] { feed(metal); }), error);
  EXPECT_EQ(fake_metal::report().waited_ms, 60'000u) << "it is not asked again";
}

// What a model has as floats (norms, biases) is copied for the GPU, and known by where it lies.
TEST_F(MetalHost, ForgetsWhatNobodyUsesAnyMore) {
  settings().runs_kernels = false;
  const auto buffers = [] { return fake_metal::report().live.at("MTLBuffer"); };
  const GoldenFiles files(golden_folder() / "models" / "gemma3");
  const Model model = bind_weights(files.plan, files.tensors());
  MetalOps metal;
  Session session(model, metal);
  const auto feed_one = [&] {
    const std::int32_t id = 7;
    session.feed({&id, 1});
    session.rewind(0);
  };
  feed_one();
  const std::size_t alone = buffers();
  feed(metal, "llama", 1);
  EXPECT_GT(buffers(), alone);
  for (std::size_t i = 0; i < 2 * MetalOps::kPassesKept; ++i) feed_one();
  EXPECT_EQ(buffers(), alone);
}

// ---- what the GPU reaches ----

// llama.cpp#10119: what the GPU has not used for a second, it loses; and has it again a quarter of a second later.
TEST_F(MetalHost, KeepsItsMemoryResident) {
  const GoldenFiles files(golden_folder() / "models" / "llama");
  const auto kept_by = [&](const auto& look) {
    MetalOps metal;
    {
      const Model model = bind_weights(files.plan, files.tensors());
      Session session(model, metal);
      const std::int32_t id = 7;
      session.feed({&id, 1});
      look(metal.counts());
    }
    return fake_metal::kept_bytes() == metal.counts().buffer_bytes;
  };
  const bool keeps_its_own = kept_by([](const metal::Counts& counts) {
    EXPECT_EQ(fake_metal::kept_bytes(), counts.buffer_bytes + counts.wrapped_bytes + counts.copied_bytes);
    EXPECT_GT(counts.wrapped_bytes, 0u);
  });
  EXPECT_TRUE(keeps_its_own) << "and none of the model's, which is gone (llama.cpp#25937)";
  EXPECT_EQ(fake_metal::kept_bytes(), 0u);
  settings().working_set = 10'000;
  kept_by([](const metal::Counts&) { EXPECT_EQ(fake_metal::kept_bytes(), 0u) << "more than the system recommends"; });
  settings() = {.macos = 14};
  kept_by([](const metal::Counts&) { EXPECT_EQ(fake_metal::kept_bytes(), 0u) << "no such sets"; });
  EXPECT_EQ(fake_metal::report().findings, std::vector<std::string>{});
}

TEST_F(MetalHost, LeavesMemoryToTheSystemOnceItIsMoreThanThatRecommends) {
  const GoldenFiles files(golden_folder() / "models" / "llama");
  const Model model = bind_weights(files.plan, files.tensors());
  const auto kept_after = [&](MetalOps& metal, std::size_t tokens) {
    Session session(model, metal);
    session.feed(std::vector<std::int32_t>(tokens, 7));
    return fake_metal::kept_bytes();
  };
  {
    MetalOps metal;
    settings().working_set = kept_after(metal, 1);
  }
  MetalOps metal;
  EXPECT_EQ(kept_after(metal, 1), settings().working_set);
  EXPECT_EQ(kept_after(metal, 100), 0u) << "a longer cache does not fit";
}

// Keys and values are reached by address: each encoder is told of them, or the kernels' reads are out of bounds.
TEST_F(MetalHost, NamesWhatIsReachedByAddressInEachCommandBuffer) {
  settings().build = metal_emulator::Build::checked;
  MetalOps whole, in_parts(1);
  const std::vector<float> expected = feed(whole, "llama", 70);
  fake_metal::reset();
  EXPECT_EQ(feed(in_parts, "llama", 70), expected);
  EXPECT_GE(fake_metal::report().command_buffers, 8u) << "one after each product";
  EXPECT_EQ(fake_metal::report().findings, std::vector<std::string>{});
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

// A GPU may read what was uploaded until its command buffer is done: what comes next goes elsewhere. (The fake ends the
// program of a host that writes there.)
TEST_F(MetalHost, UploadsElsewhereWhileTheGpuReads) {
  metal::Gpu gpu(1);
  const std::vector<float> values(100, 1.0f);
  const auto bytes = std::as_bytes(std::span(values));
  const auto out = gpu.memory(bytes.size());
  for (int i = 0; i < 3; ++i) {
    const gpu::RowArgs args{1, 100};
    const std::uint32_t row = 0;
    const metal::Place from = gpu.upload(bytes), rows = gpu.upload(std::as_bytes(std::span(&row, 1)));
    const metal::Place places[] = {gpu.place(out->data()), from, rows};
    gpu.dispatch(metal::Kernel::take_rows, 0, std::as_bytes(std::span(&args, 1)), places, {{1, 1, 1}, 256});
    gpu.add_work(2);
  }
  EXPECT_EQ(gpu.counts().command_buffers, 3u);
  gpu.finish();
  EXPECT_EQ(reinterpret_cast<const float*>(out->data())[99], 1.0f);
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
