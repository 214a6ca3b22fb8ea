// MTLComputeCommandEncoder: what is bound, and dispatches, which are checked when they are encoded.
#include <algorithm>

#include "device.h"

namespace fake_metal {
namespace {

constexpr UInteger most_bytes_of_set_bytes = 4096;
constexpr UInteger concurrent_dispatches = 1;  // MTLDispatchTypeConcurrent

Encoder& encoder_of(Id self) {
  Encoder& e = *static_cast<Encoder*>(self);
  if (e.ended) misuse("a message to an encoder after endEncoding");
  return e;
}

Id new_encoder(Id self, bool concurrent) {
  CommandBuffer* const commands = static_cast<CommandBuffer*>(self);
  if (commands->is_encoding) misuse("a second encoder while one is open");
  if (commands->status >= Status::committed) misuse("an encoder for a command buffer that was committed");
  commands->is_encoding = true;
  Encoder* const made = make<Encoder>("MTLComputeCommandEncoder");
  made->commands = static_cast<CommandBuffer*>(retain(commands));
  made->concurrent = concurrent;
  return autorelease(made);
}

void bind(Encoder& e, Id object, UInteger offset, UInteger index) {
  if (index >= msl::slot_count) misuse("buffer index " + std::to_string(index) + ", of 31");
  if (!object) {
    e.slots.erase(static_cast<unsigned>(index));
    return;
  }
  Slot slot;
  slot.buffer = buffer(object, "setBuffer:offset:atIndex:");
  slot.offset = offset;
  if (offset >= slot.buffer->bytes) {
    misuse("offset " + std::to_string(offset) + " in a buffer of " + std::to_string(slot.buffer->bytes) + " bytes");
  }
  e.slots[static_cast<unsigned>(index)] = slot;
}

void set_buffers(Id self, Sel, const Id* objects, const UInteger* offsets, Range range) {
  for (UInteger i = 0; i < range.length; ++i) bind(encoder_of(self), objects[i], offsets[i], range.location + i);
}

void set_bytes(Id self, Sel, const void* bytes, UInteger length, UInteger index) {
  if (length == 0 || length > most_bytes_of_set_bytes) misuse("setBytes: takes 1 to 4096 bytes");
  if (index >= msl::slot_count) misuse("buffer index " + std::to_string(index) + ", of 31");
  Slot slot;
  slot.bytes.assign(static_cast<const unsigned char*>(bytes), static_cast<const unsigned char*>(bytes) + length);
  encoder_of(self).slots[static_cast<unsigned>(index)] = slot;
}

void set_threadgroup_memory(Id self, Sel, UInteger length, UInteger index) {
  if (length % 16 != 0) misuse("threadgroup memory of a length that is no multiple of 16");
  if (index >= msl::slot_count) misuse("threadgroup index " + std::to_string(index) + ", of 31");
  Encoder& e = encoder_of(self);
  if (length == 0) {
    e.threadgroup_bytes.erase(static_cast<unsigned>(index));
  } else {
    e.threadgroup_bytes[static_cast<unsigned>(index)] = length;
  }
}

// An argument is bound, as large as the kernel's struct; bytes set for a struct are exactly the struct.
void check_argument(const msl::Kernel& kernel, const msl::Argument& a, const std::map<unsigned, Slot>& slots) {
  const std::string name = std::string{"kernel "} + kernel.name + ": argument '" + a.name + "'";
  const auto found = slots.find(a.index);
  if (found == slots.end()) {
    if (a.enabled) return;  // a function constant decides: the emulator looks when it runs
    misuse(name + " has nothing bound, at buffer index " + std::to_string(a.index));
  }
  const Slot& slot = found->second;
  const std::size_t have = slot.buffer ? slot.buffer->bytes - slot.offset : slot.bytes.size();
  const bool is_wrong = slot.buffer ? have < a.size : a.size > 0 && have != a.size;
  if (is_wrong) misuse(name + " has " + std::to_string(a.size) + " bytes, " + std::to_string(have) + " are bound");
}

void encode_dispatch(Id self, Sel, MtlSize groups, MtlSize threads) {
  Encoder& e = encoder_of(self);
  if (!e.pipeline) misuse("a dispatch without a pipeline");
  const msl::Kernel& kernel = *e.pipeline->kernel;
  const UInteger count = threads.width * threads.height * threads.depth;
  if (count == 0 || count > e.pipeline->max_threads) {
    misuse(std::string{"kernel "} + kernel.name + ": " + std::to_string(count) + " threads in a threadgroup, of " +
           std::to_string(e.pipeline->max_threads));
  }
  if (groups.width * groups.height * groups.depth == 0)
    misuse(std::string{"kernel "} + kernel.name + ": an empty grid");
  Command command;
  command.pipeline = static_cast<Pipeline*>(retain(e.pipeline));
  command.groups = groups;
  command.threads = threads;
  command.concurrent = e.concurrent;
  command.buffers = e.used;
  for (int i = 0; i < kernel.argument_count; ++i) {
    const msl::Argument& a = kernel.arguments[i];
    if (a.role == msl::Role::threadgroup_memory) {
      const auto found = e.threadgroup_bytes.find(a.index);
      if (found != e.threadgroup_bytes.end()) command.threadgroup_bytes[a.index] = found->second;
    }
    if (a.role != msl::Role::buffer) continue;
    check_argument(kernel, a, e.slots);
    const auto found = e.slots.find(a.index);
    if (found == e.slots.end()) continue;
    command.slots[a.index] = found->second;
    if (found->second.buffer) e.commands->use(found->second.buffer);
  }
  e.commands->commands.push_back(std::move(command));
}

void barrier_of_buffers(Id self, Sel, const Id* objects, UInteger count) {
  Command command;
  command.kind = Command::Kind::barrier_of_buffers;
  for (UInteger i = 0; i < count; ++i) {
    command.buffers.push_back(buffer(objects[i], "memoryBarrierWithResources:count:"));
  }
  encoder_of(self).commands->commands.push_back(command);
}

void barrier(Id self, Sel, UInteger scope) {
  constexpr UInteger of_buffers = 1;  // MTLBarrierScopeBuffers
  if (!(scope & of_buffers)) return;
  Command command;
  command.kind = Command::Kind::barrier;
  encoder_of(self).commands->commands.push_back(command);
}

void end_encoding(Id self, Sel) {
  Encoder& e = encoder_of(self);
  e.ended = true;
  e.commands->is_encoding = false;
  Command command;
  command.kind = Command::Kind::end_of_encoder;
  e.commands->commands.push_back(command);
}

void define_binding() {
  const char* const encoder = "MTLComputeCommandEncoder";
  method(
      encoder, '-', "setComputePipelineState:", +[](Id self, Sel, Id pipeline) {
        encoder_of(self).pipeline = static_cast<Pipeline*>(pipeline);
      });
  method(
      encoder, '-', "setBuffer:offset:atIndex:", +[](Id self, Sel, Id object, UInteger offset, UInteger index) {
        bind(encoder_of(self), object, offset, index);
      });
  method(encoder, '-', "setBuffers:offsets:withRange:", set_buffers);
  method(encoder, '-', "setBytes:length:atIndex:", set_bytes);
  method(encoder, '-', "setThreadgroupMemoryLength:atIndex:", set_threadgroup_memory);
  method(
      encoder, '-', "useResource:usage:", +[](Id self, Sel, Id object, UInteger) {
        Buffer* const used = buffer(object, "useResource:usage:");
        encoder_of(self).used.push_back(used);
        encoder_of(self).commands->use(used);
      });
}

}  // namespace

void Encoder::dispose() {
  if (!ended) finding("an encoder is released before endEncoding");
  release(commands);
}

void define_encoders() {
  method("MTLCommandBuffer", '-', "computeCommandEncoder", +[](Id self, Sel) { return new_encoder(self, false); });
  method(
      "MTLCommandBuffer", '-', "computeCommandEncoderWithDispatchType:", +[](Id self, Sel, UInteger type) {
        return new_encoder(self, type == concurrent_dispatches);
      });
  const char* const encoder = "MTLComputeCommandEncoder";
  class_named(encoder).parent = &class_named("MTLCommandEncoder");
  define_binding();
  method(encoder, '-', "dispatchThreadgroups:threadsPerThreadgroup:", encode_dispatch);
  method(encoder, '-', "memoryBarrierWithScope:", barrier);
  method(encoder, '-', "memoryBarrierWithResources:count:", barrier_of_buffers);
  method("MTLCommandEncoder", '-', "endEncoding", end_encoding);
}

}  // namespace fake_metal
