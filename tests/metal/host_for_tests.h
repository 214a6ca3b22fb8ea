// A host of Metal as small as can be, for the tests of the fake: messages, and one buffer or pass after the other.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "metal/emulator_for_tests.h"
#include "metal/fake/fake_metal.h"

struct HostObject;
using Id = HostObject*;
using UInteger = unsigned long;
struct MtlSize {
  UInteger width, height, depth;
};

extern "C" {
void objc_msgSend();
const char* sel_registerName(const char*);
Id objc_getClass(const char*);
void* objc_autoreleasePoolPush();
void objc_autoreleasePoolPop(void*);
Id MTLCreateSystemDefaultDevice();
}

template <class Signature>
struct Message;
template <class Result, class... Arguments>
struct Message<Result(Arguments...)> {
  static Result send(Id object, const char* name, Arguments... arguments) {
    const auto function = reinterpret_cast<Result (*)(Id, const char*, Arguments...)>(objc_msgSend);
    return function(object, sel_registerName(name), arguments...);
  }
};
// send<Id(UInteger, UInteger)>(device, "newBufferWithLength:options:", 64, 0)
template <class Signature, class... Arguments>
auto send(Id object, const char* name, Arguments... arguments) {
  return Message<Signature>::send(object, name, arguments...);
}
inline void release(Id object) { send<void()>(object, "release"); }

class Pool {
 public:
  Pool() : pool_(objc_autoreleasePoolPush()) {}
  ~Pool() { objc_autoreleasePoolPop(pool_); }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

 private:
  void* pool_;
};

inline Id text(const std::string& utf8) {
  return send<Id(const char*)>(objc_getClass("NSString"), "stringWithUTF8String:", utf8.c_str());
}
inline std::string words(Id string) { return send<const char*()>(string, "UTF8String"); }
inline std::string description(Id error) { return words(send<Id()>(error, "localizedDescription")); }

// A device, its queue and the kernels of kernels/host.metal; all is released at the end, and a test may look.
class Host : public testing::Test {
 protected:
  void SetUp() override {
    fake_metal::settings() = {};
    settings_before();
    fake_metal::reset();
    device = MTLCreateSystemDefaultDevice();
    queue = send<Id()>(device, "newCommandQueue");
    library = compile(source_of_kernels());
    owned = {library, queue, device};
  }
  virtual void settings_before() {}

  static std::string source_of_kernels() {
    std::ifstream file{metal_emulator::kernel_file("host.metal")};
    std::stringstream source;
    source << file.rdbuf();
    return source.str();
  }

  Id compile(const std::string& source, Id* error = nullptr) {
    const Id options = send<Id()>(objc_getClass("MTLCompileOptions"), "new");
    send<void(UInteger)>(options, "setLanguageVersion:", 3UL << 16);
    const Id made = send<Id(Id, Id, Id*)>(device, "newLibraryWithSource:options:error:", text(source), options, error);
    release(options);
    return made;
  }

  void release_all() {
    for (const Id object : owned) release(object);
    owned.clear();
  }
  void TearDown() override { release_all(); }

  Id pipeline(const char* kernel, Id constants = nullptr) {
    Id error = nullptr;
    const Id function = constants
                            ? send<Id(Id, Id, Id*)>(library, "newFunctionWithName:constantValues:error:", text(kernel),
                                                    constants, &error)
                            : send<Id(Id)>(library, "newFunctionWithName:", text(kernel));
    const Id made = send<Id(Id, Id*)>(device, "newComputePipelineStateWithFunction:error:", function, &error);
    release(function);
    owned.insert(owned.begin(), made);
    return made;
  }
  Id buffer(std::size_t bytes, UInteger options = 0) {
    const Id made = send<Id(UInteger, UInteger)>(device, "newBufferWithLength:options:", bytes, options);
    if (made) owned.insert(owned.begin(), made);
    return made;
  }
  static float* floats(Id buffer) { return static_cast<float*>(send<void*()>(buffer, "contents")); }

  // ---- one pass ----
  void begin(UInteger dispatch_type = 0) {
    commands = send<Id()>(queue, "commandBuffer");
    encoder = send<Id(UInteger)>(commands, "computeCommandEncoderWithDispatchType:", dispatch_type);
  }
  void bind(Id object, UInteger offset, UInteger index) {
    send<void(Id, UInteger, UInteger)>(encoder, "setBuffer:offset:atIndex:", object, offset, index);
  }
  void bytes(const void* data, UInteger length, UInteger index) {
    send<void(const void*, UInteger, UInteger)>(encoder, "setBytes:length:atIndex:", data, length, index);
  }
  void use(Id made) { send<void(Id)>(encoder, "setComputePipelineState:", made); }
  void dispatch(UInteger groups, UInteger threads) {
    send<void(MtlSize, MtlSize)>(encoder, "dispatchThreadgroups:threadsPerThreadgroup:", MtlSize{groups, 1, 1},
                                 MtlSize{threads, 1, 1});
  }
  void end() { send<void()>(encoder, "endEncoding"); }
  void commit() { send<void()>(commands, "commit"); }
  UInteger wait() {
    send<void()>(commands, "waitUntilCompleted");
    return send<UInteger()>(commands, "status");
  }
  UInteger finish() {
    end();
    commit();
    return wait();
  }
  // in · by → out
  void scale(Id in, Id out, float by, UInteger count = 32) {
    struct {
      unsigned count;
      float by;
    } const factor{static_cast<unsigned>(count), by};
    bytes(&factor, sizeof factor, 0);
    bind(in, 0, 1);
    bind(out, 0, 2);
    dispatch((count + 31) / 32, 32);
  }

  Pool pool;
  Id device = nullptr, queue = nullptr, library = nullptr, commands = nullptr, encoder = nullptr;
  std::vector<Id> owned;
};

constexpr UInteger completed = 4, failed = 5;  // MTLCommandBufferStatus
