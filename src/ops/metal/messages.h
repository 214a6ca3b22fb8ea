// Every message that Rung sends to Metal, once, with its types.  Milestone M7.
//
// Names and types are Apple's (Metal, Foundation); tests/metal/ compares them with what three other sources say they
// are. Numbers of Apple's enumerations that are sent stand below.
#pragma once

#include <vector>

#include "ops/metal/objc.h"

namespace rung::objc {

struct Messages {
  Message<Id()> retain{"NSObject", kToObject, "retain"};
  Message<void()> release{"NSObject", kToObject, "release"};
  Message<bool(Selector)> responds{"NSObject", kToObject, "respondsToSelector:"};
  Message<Id()> new_options{"MTLCompileOptions", kToClass, "new"};
  Message<Id()> new_constants{"MTLFunctionConstantValues", kToClass, "new"};
  Message<Id()> new_set_options{"MTLResidencySetDescriptor", kToClass, "new"};
  Message<Id(const char*)> string{"NSString", kToClass, "stringWithUTF8String:"};
  Message<const char*()> utf8{"NSString", kToObject, "UTF8String"};
  Message<Id()> description{"NSError", kToObject, "localizedDescription"};

  Message<Id()> name{"MTLDevice", kToObject, "name"};
  Message<UInteger()> most_bytes{"MTLDevice", kToObject, "maxBufferLength"};
  Message<UInteger()> comfortable_bytes{"MTLDevice", kToObject, "recommendedMaxWorkingSetSize"};
  Message<bool(long)> supports_family{"MTLDevice", kToObject, "supportsFamily:"};
  Message<Id()> new_queue{"MTLDevice", kToObject, "newCommandQueue"};
  Message<Id(UInteger, UInteger)> new_buffer{"MTLDevice", kToObject, "newBufferWithLength:options:"};
  Message<Id(void*, UInteger, UInteger, const Block*)> new_buffer_over{
      "MTLDevice", kToObject, "newBufferWithBytesNoCopy:length:options:deallocator:"};
  Message<Id(Id, Id, Id*)> new_library{"MTLDevice", kToObject, "newLibraryWithSource:options:error:"};
  Message<Id(Id, Id*)> new_pipeline{"MTLDevice", kToObject, "newComputePipelineStateWithFunction:error:"};
  Message<Id()> new_event{"MTLDevice", kToObject, "newSharedEvent"};
  Message<Id(Id, Id*)> new_set{"MTLDevice", kToObject, "newResidencySetWithDescriptor:error:"};

  Message<void(UInteger)> set_language{"MTLCompileOptions", kToObject, "setLanguageVersion:"};
  Message<void(long)> set_math_mode{"MTLCompileOptions", kToObject, "setMathMode:"};
  Message<void(bool)> set_fast_math{"MTLCompileOptions", kToObject, "setFastMathEnabled:"};

  Message<void(const void*, UInteger, UInteger)> set_constant{"MTLFunctionConstantValues", kToObject,
                                                              "setConstantValue:type:atIndex:"};
  Message<Id(Id, Id, Id*)> new_function{"MTLLibrary", kToObject, "newFunctionWithName:constantValues:error:"};

  Message<void*()> contents{"MTLBuffer", kToObject, "contents"};
  Message<UInteger()> gpu_address{"MTLBuffer", kToObject, "gpuAddress"};

  Message<void(Id)> add_to_set{"MTLResidencySet", kToObject, "addAllocation:"};
  Message<void(Id)> remove_from_set{"MTLResidencySet", kToObject, "removeAllocation:"};
  Message<void()> commit_set{"MTLResidencySet", kToObject, "commit"};
  Message<UInteger()> bytes_of_set{"MTLResidencySet", kToObject, "allocatedSize"};
  Message<void()> request_residency{"MTLResidencySet", kToObject, "requestResidency"};
  Message<void()> end_residency{"MTLResidencySet", kToObject, "endResidency"};

  Message<Id()> command_buffer{"MTLCommandQueue", kToObject, "commandBuffer"};
  Message<Id()> encoder{"MTLCommandBuffer", kToObject, "computeCommandEncoder"};
  Message<void(Id, UInteger)> signal{"MTLCommandBuffer", kToObject, "encodeSignalEvent:value:"};
  Message<void()> commit{"MTLCommandBuffer", kToObject, "commit"};
  Message<void()> wait{"MTLCommandBuffer", kToObject, "waitUntilCompleted"};
  Message<UInteger()> status{"MTLCommandBuffer", kToObject, "status"};
  Message<Id()> error{"MTLCommandBuffer", kToObject, "error"};
  Message<bool(UInteger, UInteger)> wait_signal{"MTLSharedEvent", kToObject, "waitUntilSignaledValue:timeoutMS:"};

  Message<void(Id)> set_pipeline{"MTLComputeCommandEncoder", kToObject, "setComputePipelineState:"};
  Message<void(const void*, UInteger, UInteger)> set_bytes{"MTLComputeCommandEncoder", kToObject,
                                                           "setBytes:length:atIndex:"};
  Message<void(const Id*, const UInteger*, Range)> set_buffers{"MTLComputeCommandEncoder", kToObject,
                                                               "setBuffers:offsets:withRange:"};
  Message<void(UInteger, UInteger)> set_threadgroup_bytes{"MTLComputeCommandEncoder", kToObject,
                                                          "setThreadgroupMemoryLength:atIndex:"};
  Message<void(Id, UInteger)> use{"MTLComputeCommandEncoder", kToObject, "useResource:usage:"};
  Message<void(Size, Size)> dispatch{"MTLComputeCommandEncoder", kToObject,
                                     "dispatchThreadgroups:threadsPerThreadgroup:"};
  Message<void()> end{"MTLCommandEncoder", kToObject, "endEncoding"};

  std::vector<MessageInfo> all() const;
};

// The one table.
const Messages& messages();

// MTLResourceStorageModeShared: host and GPU see the same bytes.
inline constexpr UInteger kShared = 0;
// MTLResourceUsageRead | MTLResourceUsageWrite
inline constexpr UInteger kReadWrite = 3;
// MTLLanguageVersion3_0: macOS 13, the first that gives buffers an address. Without a version, each system would take
// its newest, and a kernel that compiles today might not tomorrow.
inline constexpr UInteger kLanguage = UInteger{3} << 16;
inline constexpr long kMathSafe = 0;           // MTLMathModeSafe
inline constexpr UInteger kConstantUInt = 33;  // MTLDataTypeUInt
inline constexpr UInteger kCompleted = 4;      // MTLCommandBufferStatusCompleted
inline constexpr UInteger kFailed = 5;         // MTLCommandBufferStatusError
inline constexpr long kFamilyApple7 = 1007;    // MTLGPUFamilyApple7: M1, the first in a Mac

}  // namespace rung::objc
