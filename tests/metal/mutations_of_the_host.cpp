#include <array>
#include <cstring>

#include "metal/fake/objects.h"
#include "metal/mutations.h"

namespace rung::mutations {

namespace {

using fake_metal::Id;
using fake_metal::MtlSize;
using fake_metal::Range;
using fake_metal::Sel;
using fake_metal::Settings;
using fake_metal::UInteger;

template <class F>
void (*answer(F* f))() {
  return reinterpret_cast<void (*)()>(f);
}

// The fake's own method, as what it is.
template <class Result, class... Arguments>
Result own(Id self, Sel name, Arguments... arguments) {
  const auto method = reinterpret_cast<Result (*)(Id, Sel, Arguments...)>(fake_metal::method_of(self, name));
  return method(self, name, arguments...);
}

UInteger silence(Id, Sel) { return 0; }

// The message is not sent.
auto not_sent(const char* selector) {
  return [selector](Settings& s) { s.instead[selector] = answer(silence); };
}
template <class F>
auto answered(const char* selector, F* by) {
  return [selector, by](Settings& s) { s.instead[selector] = answer(by); };
}

constexpr const char* kBuffers = "setBuffers:offsets:withRange:";
constexpr const char* kDispatch = "dispatchThreadgroups:threadsPerThreadgroup:";
constexpr const char* kRoom = "setThreadgroupMemoryLength:atIndex:";
constexpr const char* kNewBuffer = "newBufferWithLength:options:";
constexpr const char* kBytes = "setBytes:length:atIndex:";
constexpr const char* kConstant = "setConstantValue:type:atIndex:";
constexpr const char* kLent = "newBufferWithBytesNoCopy:length:options:deallocator:";
constexpr std::size_t kMostBuffers = 32;

void buffers_from_0(Id self, Sel name, const Id* buffers, const UInteger* offsets, Range range) {
  own<void>(self, name, buffers, offsets, Range{0, range.length});
}
void one_buffer_less(Id self, Sel name, const Id* buffers, const UInteger* offsets, Range range) {
  own<void>(self, name, buffers, offsets, Range{range.location, range.length - 1});
}
void buffers_exchanged(Id self, Sel name, const Id* buffers, const UInteger* offsets, Range range) {
  std::array<Id, kMostBuffers> ids{};
  std::array<UInteger, kMostBuffers> at{};
  std::copy_n(buffers, range.length, ids.begin());
  std::copy_n(offsets, range.length, at.begin());
  std::swap(ids[0], ids[1]);
  std::swap(at[0], at[1]);
  own<void>(self, name, static_cast<const Id*>(ids.data()), static_cast<const UInteger*>(at.data()), range);
}
void no_offsets(Id self, Sel name, const Id* buffers, const UInteger*, Range range) {
  const std::array<UInteger, kMostBuffers> zeros{};
  own<void>(self, name, buffers, static_cast<const UInteger*>(zeros.data()), range);
}

void one_group_less(Id self, Sel name, MtlSize groups, MtlSize threads) {
  if (groups.width > 1) --groups.width;
  own<void>(self, name, groups, threads);
}
void groups_turned(Id self, Sel name, MtlSize groups, MtlSize threads) {
  std::swap(groups.width, groups.height);
  own<void>(self, name, groups, threads);
}
void one_simd_less(Id self, Sel name, MtlSize groups, MtlSize threads) {
  if (threads.width > 32) threads.width -= 32;
  own<void>(self, name, groups, threads);
}
void too_many_threads(Id self, Sel name, MtlSize groups, MtlSize threads) {
  own<void>(self, name, groups, MtlSize{threads.width * 8, 1, 1});
}

void half_the_room(Id self, Sel name, UInteger bytes, UInteger index) { own<void>(self, name, bytes / 32 * 16, index); }
void room_of_odd_length(Id self, Sel name, UInteger bytes, UInteger index) { own<void>(self, name, bytes + 4, index); }

Id private_storage(Id self, Sel name, UInteger bytes, UInteger) { return own<Id>(self, name, bytes, UInteger{2} << 4); }
Id memoryless_storage(Id self, Sel name, UInteger bytes, UInteger) {
  return own<Id>(self, name, bytes, UInteger{3} << 4);
}
Id half_a_buffer(Id self, Sel name, UInteger bytes, UInteger options) {
  return own<Id>(self, name, bytes / 2, options);
}

void shorter_struct(Id self, Sel name, const void* bytes, UInteger length, UInteger index) {
  own<void>(self, name, bytes, length - 4, index);
}
void struct_elsewhere(Id self, Sel name, const void* bytes, UInteger length, UInteger index) {
  own<void>(self, name, bytes, length, index + 20);
}

void constant_of_one_byte(Id self, Sel name, const void* value, UInteger, UInteger index) {
  own<void>(self, name, value, UInteger{53}, index);  // MTLDataTypeBool
}
void constant_elsewhere(Id self, Sel name, const void* value, UInteger type, UInteger index) {
  own<void>(self, name, value, type, index + 7);
}

Id lent_from_a_page_before(Id self, Sel name, void* pages, UInteger bytes, UInteger options, fake_metal::Block* block) {
  constexpr UInteger page = 16384;
  return own<Id>(self, name, static_cast<void*>(static_cast<char*>(pages) - page), bytes, options, block);
}
// Far from all that there is: a nearer one might be in another buffer, which would serve as well.
UInteger address_of_another(Id self, Sel name) { return own<UInteger>(self, name) + (UInteger{1} << 40); }

// A concurrent encoder, with no barrier between two dispatches.
Id concurrent_encoder(Id self, Sel) { return own<Id>(self, "computeCommandEncoderWithDispatchType:", UInteger{1}); }

UInteger always_completed(Id, Sel) { return 4; }
bool raised(Id, Sel, UInteger, UInteger) { return true; }
Id not_retained(Id self, Sel) { return self; }
void twice(Id self, Sel name) {
  own<void>(self, name);
  own<void>(self, name);
}
void fast_mathematics(Id self, Sel name, long) { own<void>(self, name, 1L); }

}  // namespace

const std::vector<HostMutation>& host_mutations() {
  static const std::vector<HostMutation> all{
      {"nobody waits for the event", not_sent("waitUntilSignaledValue:timeoutMS:")},
      {"neither is it asked for the status",
       [](Settings& s) {
         s.instead["waitUntilSignaledValue:timeoutMS:"] = answer(raised);
         s.instead["waitUntilCompleted"] = answer(silence);
         s.instead["status"] = answer(always_completed);
       }},
      {"the status is not looked at, and the GPU has no memory",
       [](Settings& s) {
         s.fail_command_buffer = 1;
         s.instead["status"] = answer(always_completed);
       }},
      {"commit is not sent", not_sent("commit")},
      {"commit is sent twice", answered("commit", twice)},
      {"endEncoding is not sent", not_sent("endEncoding")},
      {"endEncoding is sent twice", answered("endEncoding", twice)},
      {"useResource is not sent: memory that is reached by address is not resident", not_sent("useResource:usage:"),
       Mode::checked},
      {"no pipeline is set", not_sent("setComputePipelineState:")},
      {"a concurrent encoder without barriers", answered("computeCommandEncoder", concurrent_encoder), Mode::checked},
      {"release is not sent", not_sent("release")},
      {"release is sent twice", answered("release", twice)},
      {"retain is not sent", answered("retain", not_retained)},
      {"no autorelease pool", [](Settings& s) { s.no_pools = true; }},
      {"buffers are the GPU's alone", answered(kNewBuffer, private_storage)},
      {"buffers without memory", answered(kNewBuffer, memoryless_storage)},
      {"buffers of half their length", answered(kNewBuffer, half_a_buffer), Mode::checked},
      {"weights are lent from a page too early", answered(kLent, lent_from_a_page_before), Mode::checked},
      {"an address is not the buffer's", answered("gpuAddress", address_of_another), Mode::checked},
      {"buffers are bound from index 0", answered(kBuffers, buffers_from_0)},
      {"the last buffer is not bound", answered(kBuffers, one_buffer_less)},
      {"two buffers are exchanged", answered(kBuffers, buffers_exchanged)},
      {"offsets are forgotten", answered(kBuffers, no_offsets)},
      {"a struct is four bytes too short", answered(kBytes, shorter_struct)},
      {"a struct is bound elsewhere", answered(kBytes, struct_elsewhere)},
      {"a threadgroup is missing", answered(kDispatch, one_group_less)},
      {"the grid is turned", answered(kDispatch, groups_turned)},
      {"a SIMD group is missing", answered(kDispatch, one_simd_less)},
      {"more threads than a threadgroup may have", answered(kDispatch, too_many_threads)},
      {"no threadgroup memory", not_sent(kRoom), Mode::checked},
      {"half the threadgroup memory", answered(kRoom, half_the_room), Mode::checked},
      {"threadgroup memory of an odd length", answered(kRoom, room_of_odd_length)},
      {"a function constant is not set", not_sent(kConstant), Mode::in_order, {"", DType::q4_0}},
      {"a function constant of another type",
       answered(kConstant, constant_of_one_byte),
       Mode::in_order,
       {"", DType::q4_0}},
      {"a function constant of another number",
       answered(kConstant, constant_elsewhere),
       Mode::in_order,
       {"", DType::q4_0}},
      {"fast mathematics", answered("setMathMode:", fast_mathematics)},
      {"no language version", not_sent("setLanguageVersion:")},
  };
  return all;
}

}  // namespace rung::mutations
