// The fake Objective-C runtime and device: what it does for a host, and what it says to one that is wrong.
#include "metal/host_for_tests.h"

#include <sys/mman.h>

#include <set>
#include <thread>
#include <utility>

namespace {

using fake_metal::Misuse;
using fake_metal::report;
using fake_metal::settings;

class Fake : public Host {};

// What is thrown by `action`, or "".
template <class Action>
std::string misuse_of(Action action) {
  try {
    action();
  } catch (const Misuse& misuse) {
    return misuse.what();
  }
  return "";
}

bool responds(Id object, const char* name) {
  return send<bool(const char*)>(object, "respondsToSelector:", sel_registerName(name));
}

// ---- the golden table ----

TEST(Selectors, SayEachMethodOnce) {
  std::set<std::string> seen;
  for (const fake_metal::Selector& s : fake_metal::selectors()) {
    EXPECT_TRUE(seen.insert(s.owner + s.kind + s.name).second) << s.owner << " " << s.name;
    EXPECT_EQ(fake_metal::plain(s.encoding), s.encoding) << s.owner << " " << s.name;
  }
}

TEST(Selectors, AreWhatApplesCompilerWrote) {
  const fake_metal::Selector* const s =
      fake_metal::selector("MTLComputeCommandEncoder", '-', "setBytes:length:atIndex:");
  ASSERT_NE(s, nullptr);
  EXPECT_EQ(s->encoding, "v@:^vQQ");
  EXPECT_FALSE(s->gives_ownership);
  EXPECT_TRUE(fake_metal::selector("MTLDevice", '-', "newCommandQueue")->gives_ownership);
  EXPECT_EQ(fake_metal::selector("MTLDevice", '-', "newCommandQeue"), nullptr);
}

TEST(Encoding, IsPlainWithoutConstAndNames) { EXPECT_EQ(fake_metal::plain("r^v@:r*{_NSRange=QQ}"), "^v@:*{?=QQ}"); }

// ---- a host that is right ----

TEST_F(Fake, RunsAKernel) {
  const Id in = buffer(128), out = buffer(128);
  for (int i = 0; i < 32; ++i) floats(in)[i] = static_cast<float>(i);
  begin();
  use(pipeline("scale"));
  scale(in, out, 2);
  EXPECT_EQ(finish(), completed);
  EXPECT_EQ(floats(out)[31], 62);
  EXPECT_TRUE(report().findings.empty());
  EXPECT_EQ(report().kernels, std::vector<std::string>{"scale"});
  EXPECT_EQ(report().calls.at("setBytes:length:atIndex:"), 1u);
}

TEST_F(Fake, TakesFunctionConstantsAndArgumentsThatDependOnThem) {
  const Id out = buffer(128), constants = send<Id()>(objc_getClass("MTLFunctionConstantValues"), "new");
  const float offset = 5;
  const bool has_bias = false;
  constexpr UInteger type_float = 3, type_bool = 53;
  const auto set = "setConstantValue:type:atIndex:";
  send<void(const void*, UInteger, UInteger)>(constants, set, &offset, type_float, 3UL);
  send<void(const void*, UInteger, UInteger)>(constants, set, &has_bias, type_bool, 4UL);
  begin();
  use(pipeline("shift", constants));
  release(constants);
  bind(out, 0, 0);  // and no bias
  dispatch(1, 32);
  EXPECT_EQ(finish(), completed);
  EXPECT_EQ(floats(out)[7], 5);
}

TEST_F(Fake, LetsGoOfEverything) {
  {
    const Pool inner;
    begin();
    use(pipeline("scale"));
    scale(buffer(128), buffer(128), 2);
    finish();
  }
  release_all();
  std::map<std::string, std::size_t> live = report().live;
  live.erase("NSString");  // of this test's own pool
  EXPECT_TRUE(live.empty()) << live.begin()->first;
}

TEST_F(Fake, CountsWhatLeaks) {
  const std::size_t before = report().live.count("MTLBuffer") ? report().live.at("MTLBuffer") : 0;
  const Id leaked = send<Id(UInteger, UInteger)>(device, "newBufferWithLength:options:", 64UL, 0UL);
  EXPECT_EQ(report().live.at("MTLBuffer"), before + 1);
  release(leaked);
}

TEST_F(Fake, TellsOfAutoreleaseWithoutAPool) {
  std::string said;
  std::thread([&] {  // which has none
    send<Id()>(device, "name");
    said = report().findings.empty() ? "" : report().findings.back();
  })
      .join();
  EXPECT_EQ(said, "NSString autoreleased with no pool in place: it leaks");
}

// ---- a host that is wrong ----

TEST_F(Fake, KnowsNoSelectorThatAppleHasNot) {
  EXPECT_EQ(misuse_of([&] { send<Id()>(device, "newComandQueue"); }),
            "-[MTLDevice newComandQueue]: unrecognized selector");
}

TEST_F(Fake, NoticesMessagesToReleasedObjects) {
  const Id gone = send<Id()>(device, "newCommandQueue");
  release(gone);
  EXPECT_EQ(misuse_of([&] { send<Id()>(gone, "commandBuffer"); }),
            "'commandBuffer' sent to a released MTLCommandQueue");
  EXPECT_NE(misuse_of([&] { release(gone); }), "");
}

TEST_F(Fake, NilAnswersNothing) { EXPECT_EQ(send<UInteger()>(nullptr, "length"), 0u); }

TEST_F(Fake, NoticesArgumentsThatAreNotBound) {
  begin();
  EXPECT_EQ(misuse_of([&] { dispatch(1, 32); }), "a dispatch without a pipeline");
  use(pipeline("scale"));
  bind(buffer(128), 0, 1);
  EXPECT_EQ(misuse_of([&] { dispatch(1, 32); }),
            "kernel scale: argument 'factor' has nothing bound, at buffer index 0");
  end();
}

TEST_F(Fake, NoticesStructsOfAnotherSize) {
  begin();
  use(pipeline("scale"));
  const float wrong[3] = {};
  bytes(wrong, sizeof wrong, 0);
  EXPECT_EQ(misuse_of([&] { dispatch(1, 32); }), "kernel scale: argument 'factor' has 8 bytes, 12 are bound");
  bind(buffer(4), 0, 0);
  EXPECT_EQ(misuse_of([&] { dispatch(1, 32); }), "kernel scale: argument 'factor' has 8 bytes, 4 are bound");
  end();
}

TEST_F(Fake, NoticesWhatIsOutOfRange) {
  begin();
  const Id small = buffer(64);
  EXPECT_EQ(misuse_of([&] { bind(small, 64, 0); }), "offset 64 in a buffer of 64 bytes");
  EXPECT_EQ(misuse_of([&] { bind(small, 0, 31); }), "buffer index 31, of 31");
  const std::vector<char> large(4097);
  EXPECT_EQ(misuse_of([&] { bytes(large.data(), large.size(), 0); }), "setBytes: takes 1 to 4096 bytes");
  use(pipeline("scale"));
  EXPECT_EQ(misuse_of([&] { dispatch(1, 1025); }), "kernel scale: 1025 threads in a threadgroup, of 1024");
  end();
}

TEST_F(Fake, NoticesEncodersOutOfOrder) {
  begin();
  EXPECT_EQ(misuse_of([&] { commit(); }), "commit before endEncoding");
  EXPECT_EQ(misuse_of([&] { send<Id()>(commands, "computeCommandEncoder"); }), "a second encoder while one is open");
  EXPECT_EQ(misuse_of([&] { wait(); }), "waitUntilCompleted before commit");
  end();
  EXPECT_EQ(misuse_of([&] { end(); }), "a message to an encoder after endEncoding");
  commit();
  EXPECT_EQ(misuse_of([&] { commit(); }), "commit of a command buffer that was committed");
  wait();
}

TEST_F(Fake, KeepsTheHostFromBuffersUntilTheWorkIsDone) {
  const Id in = buffer(128), out = buffer(128);
  float* const result = floats(out);
  begin();
  use(pipeline("scale"));
  scale(in, out, 2);
  end();
  commit();
  EXPECT_DEATH(std::printf("%f", static_cast<double>(*result)), "the host touches a buffer before");
  wait();
  EXPECT_EQ(*result, 0);
}

TEST_F(Fake, TellsOfABufferReleasedWhileItIsUsed) {
  const Id in = buffer(128), out = send<Id(UInteger, UInteger)>(device, "newBufferWithLength:options:", 128UL, 0UL);
  commands = send<Id()>(queue, "commandBufferWithUnretainedReferences");
  encoder = send<Id()>(commands, "computeCommandEncoder");
  use(pipeline("scale"));
  scale(in, out, 2);
  end();
  commit();
  release(out);
  ASSERT_FALSE(report().findings.empty());
  EXPECT_EQ(report().findings.back(), "MTLBuffer released while a command buffer uses it");
  EXPECT_EQ(wait(), failed);
}

// ---- memory ----

TEST_F(Fake, GivesNoBufferThatIsTooLong) {
  settings().max_buffer_length = 1 << 20;
  EXPECT_EQ(send<UInteger()>(device, "maxBufferLength"), 1u << 20);
  EXPECT_NE(buffer(1 << 20), nullptr);
  EXPECT_EQ(buffer((1 << 20) + 1), nullptr);
  EXPECT_EQ(buffer(0), nullptr);
}

TEST_F(Fake, LendsWholePagesAlone) {
  constexpr std::size_t page = 16384;
  char* const memory =
      static_cast<char*>(::mmap(nullptr, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  char* const first = memory + (page - reinterpret_cast<std::size_t>(memory) % page) % page;
  const auto over = [&](char* from, UInteger length) {
    return send<Id(void*, UInteger, UInteger, void*)>(
        device, "newBufferWithBytesNoCopy:length:options:deallocator:", from, length, 0UL, nullptr);
  };
  const Id whole = over(first, page);
  ASSERT_NE(whole, nullptr);
  EXPECT_EQ(send<void*()>(whole, "contents"), first);
  EXPECT_EQ(over(first + 4096, page), nullptr);
  EXPECT_EQ(over(first, page - 4096), nullptr);
  release(whole);
  ::munmap(memory, 3 * page);
}

TEST_F(Fake, HidesPrivateMemory) {
  constexpr UInteger storage_private = 2 << 4;
  EXPECT_EQ(send<void*()>(buffer(64, storage_private), "contents"), nullptr);
}

TEST_F(Fake, FindsReadsPastABuffersEnd) {
  settings().build = metal_emulator::Build::checked;
  const Id plain = std::exchange(library, compile(source_of_kernels()));
  owned.push_back(library);
  ASSERT_NE(library, plain);
  const Id in = buffer(124), out = buffer(128);  // one float short
  begin();
  use(pipeline("scale"));
  scale(in, out, 2);
  EXPECT_EQ(finish(), failed);
  EXPECT_CONTAINS(description(send<Id()>(commands, "error")), "kernel scale: read outside of every buffer");
  EXPECT_CONTAINS(report().findings.back(), "read outside of every buffer");
}

// ---- systems old and new ----

TEST_F(Fake, LacksOnAnOldSystemWhatCameLater) {
  const Id options = send<Id()>(objc_getClass("MTLCompileOptions"), "new");
  settings().macos = 14;
  EXPECT_FALSE(responds(options, "setMathMode:"));
  EXPECT_FALSE(responds(device, "newResidencySetWithDescriptor:error:"));
  EXPECT_TRUE(responds(options, "setFastMathEnabled:"));
  EXPECT_CONTAINS(misuse_of([&] { send<void(long)>(options, "setMathMode:", 0L); }), "not on macOS 14");
  settings().macos = 15;
  EXPECT_TRUE(responds(options, "setMathMode:"));
  EXPECT_FALSE(responds(options, "setNoSuchMode:"));
  release(options);
}

TEST_F(Fake, WantsALanguageVersion) {
  const Id options = send<Id()>(objc_getClass("MTLCompileOptions"), "new");
  send<void(bool)>(options, "setFastMathEnabled:", false);
  Id error = nullptr;
  const Id made =
      send<Id(Id, Id, Id*)>(device, "newLibraryWithSource:options:error:", text("// nothing\n"), options, &error);
  EXPECT_CONTAINS(report().findings.back(), "no language version");
  EXPECT_EQ(report().libraries.back().fast_math, 0);
  EXPECT_EQ(report().libraries.back().math_mode, -1);
  release(made);
  release(options);
}

TEST_F(Fake, ShowsTheCompilersErrorsByLine) {
  Id error = nullptr;
  EXPECT_EQ(compile("#include <metal_stdlib>\nkernel void broken(device float* x [[buffer(0)]]) { y = 1; }\n", &error),
            nullptr);
  EXPECT_CONTAINS(description(error), ".metal:2:");
  EXPECT_CONTAINS(description(error), "use of undeclared identifier 'y'");
  EXPECT_EQ(send<Id(Id)>(library, "newFunctionWithName:", text("no_such_kernel")), nullptr);
}

TEST_F(Fake, IsAnAppleGpuOfItsFamily) {
  constexpr long apple_7 = 1007, apple_8 = 1008, mac_2 = 2002;
  EXPECT_TRUE(send<bool(long)>(device, "supportsFamily:", apple_7));
  EXPECT_FALSE(send<bool(long)>(device, "supportsFamily:", apple_8));
  EXPECT_FALSE(send<bool(long)>(device, "supportsFamily:", mac_2));
  settings().has_device = false;
  EXPECT_EQ(MTLCreateSystemDefaultDevice(), nullptr);
}

// ---- faults on order ----

TEST_F(Fake, FailsTheCommandBufferThatItIsToldTo) {
  const Id in = buffer(128), out = buffer(128), made = pipeline("scale");
  settings().fail_command_buffer = 2;
  settings().command_error = fake_metal::CommandError::out_of_memory;
  for (const UInteger expected : {completed, failed, completed}) {
    begin();
    use(made);
    scale(in, out, 2);
    EXPECT_EQ(finish(), expected);
    const Id error = send<Id()>(commands, "error");
    EXPECT_EQ(error != nullptr, expected == failed);
    if (error == nullptr) continue;
    EXPECT_EQ(send<long()>(error, "code"), 8);
    EXPECT_CONTAINS(description(error), "Insufficient Memory");
  }
}

TEST_F(Fake, GivesNilAtTheCallThatItIsToldTo) {
  settings().fail_selector = "newBufferWithLength:options:";
  settings().fail_call = 2;
  EXPECT_NE(buffer(64), nullptr);
  EXPECT_EQ(buffer(64), nullptr);
  EXPECT_NE(buffer(64), nullptr);
}

}  // namespace
