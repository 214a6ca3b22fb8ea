// MTLCommandQueue and MTLCommandBuffer. Work is done as late as Metal allows, when the host waits for it: a host that
// forgets to wait meets buffers that it may not touch, and not a lucky result.
#include <algorithm>

#include "device.h"

namespace fake_metal {
namespace {

const char* const command_domain = "MTLCommandBufferErrorDomain";
constexpr int polls_until_done = 3;  // a host that asks for the status again and again gets there in the end

std::set<Queue*>& queues() {
  static std::set<Queue*> all;
  return all;
}

CommandBuffer& commands_of(Id self) { return *static_cast<CommandBuffer*>(self); }

double now() {  // a clock that always moves on, and is the same in every run
  static double seconds = 0;
  return seconds += 1e-6;
}

Id new_commands(Id self, bool retains) {
  CommandBuffer* const made = make<CommandBuffer>("MTLCommandBuffer");
  made->queue = static_cast<Queue*>(retain(self));
  made->retains = retains;
  return autorelease(made);
}

metal_emulator::Size size_of(const MtlSize& s) {
  return {static_cast<unsigned>(s.width), static_cast<unsigned>(s.height), static_cast<unsigned>(s.depth)};
}

// What a kernel may reach beside what is bound: what was made resident.
std::vector<metal_emulator::Memory> reachable_by(const CommandBuffer& commands, const Command& command) {
  std::vector<metal_emulator::Memory> all;
  for (const Buffer* b : command.buffers) all.push_back(b->memory());
  std::vector<ResidencySet*> sets = commands.sets;
  sets.insert(sets.end(), commands.queue->sets.begin(), commands.queue->sets.end());
  for (const ResidencySet* set : sets) {
    for (const Buffer* b : set->committed) all.push_back(b->memory());
  }
  return all;
}

void run_kernel(const CommandBuffer& commands, Command& command) {
  metal_emulator::Dispatch d;
  d.kernel = command.pipeline->kernel;
  d.library = command.pipeline->library->library.get();
  d.constants = command.pipeline->constants;
  d.constants.insert(settings().constants.begin(), settings().constants.end());
  for (auto& [index, slot] : command.slots) {
    if (slot.buffer) {
      d.buffers[index] = {slot.buffer->data + slot.offset, slot.buffer->bytes - slot.offset};
    } else {
      d.buffers[index] = {slot.bytes.data(), slot.bytes.size()};
    }
  }
  d.threadgroup_bytes = command.threadgroup_bytes;
  d.groups = size_of(command.groups);
  d.threads_per_group = size_of(command.threads);
  d.counts_threads = command.counts_threads;
  d.concurrent = command.concurrent;
  d.reachable = reachable_by(commands, command);
  d.options = settings().options;
  Report& r = mutable_report();
  ++r.dispatches;
  r.kernels.emplace_back(d.kernel->name);
  const metal_emulator::Statistics s = metal_emulator::run(d);
  r.statistics.threads += s.threads;
  r.statistics.threadgroups += s.threadgroups;
  r.statistics.barriers += s.barriers;
  r.statistics.simd_operations += s.simd_operations;
  r.statistics.divergent += s.divergent;
  r.statistics.absent_lanes += s.absent_lanes;
  r.statistics.threadgroup_bytes = std::max(r.statistics.threadgroup_bytes, s.threadgroup_bytes);
}

void fail(CommandBuffer& commands, CommandError code, const std::string& what) {
  commands.status = Status::error;
  commands.error = static_cast<Error*>(make<Error>("NSError"));
  commands.error->domain = command_domain;
  commands.error->code = static_cast<long>(code);
  commands.error->description = what;
}

const char* words_of(CommandError code) {
  switch (code) {
    case CommandError::timeout: return "Caused GPU Timeout Error (00000002:kIOGPUCommandBufferCallbackErrorTimeout)";
    case CommandError::page_fault: return "Caused GPU Address Fault Error (0000000b)";
    case CommandError::out_of_memory:
      return "Insufficient Memory (00000008:kIOGPUCommandBufferCallbackErrorOutOfMemory)";
    default: return "Internal Error (0000000e:Internal Error)";
  }
}

void perform(CommandBuffer& commands) {
  // The GPU is this program, too: what a later command buffer still keeps from the host is open while this one runs.
  struct Opened {
    std::set<Buffer*>& buffers;
    explicit Opened(std::set<Buffer*>& all) : buffers(all) {
      for (Buffer* b : buffers) open_to_gpu(*b, true);
    }
    ~Opened() {
      for (Buffer* b : buffers) open_to_gpu(*b, false);
    }
  } const opened(commands.buffers);
  metal_emulator::end_epoch();  // command buffers of a queue follow one another
  for (Command& command : commands.commands) {
    switch (command.kind) {
      case Command::Kind::dispatch: run_kernel(commands, command); break;
      case Command::Kind::barrier:
      case Command::Kind::end_of_encoder: metal_emulator::end_epoch(); break;
      case Command::Kind::barrier_of_buffers:
        for (const Buffer* b : command.buffers) metal_emulator::end_epoch(b->memory());
        break;
      case Command::Kind::signal: command.event->value = command.value; break;
      case Command::Kind::wait:
        if (command.event->value < command.value) {
          fail(commands, CommandError::timeout, "waits for an event that nothing signals");
          return;
        }
    }
  }
}

void execute(CommandBuffer& commands) {
  for (Buffer* b : commands.buffers) show_to_host(*b);
  commands.start = now();
  commands.status = Status::completed;
  Settings& s = settings();
  if (s.fail_command_buffer > 0 && --s.fail_command_buffer == 0) {
    fail(commands, s.command_error, words_of(s.command_error));
  } else {
    try {
      perform(commands);
    } catch (const metal_emulator::Fault& fault) {
      finding(fault.what());
      fail(commands, CommandError::page_fault, fault.what());
    }
  }
  commands.end = now();
  for (const Command& command : commands.commands) {
    release(command.pipeline);
    release(command.event);
  }
  commands.commands.clear();
  if (commands.retains) {
    for (Buffer* b : commands.buffers) release(b);
  }
  commands.buffers.clear();
  for (Block* handler : commands.handlers) handler->invoke(handler, &commands);
  commands.handlers.clear();
}

void commit(Id self, Sel) {
  CommandBuffer& c = commands_of(self);
  if (c.is_encoding) misuse("commit before endEncoding");
  if (c.status >= Status::committed) misuse("commit of a command buffer that was committed");
  c.status = Status::committed;
  for (Buffer* b : c.buffers) hide_from_host(*b);
  c.queue->committed.push_back(static_cast<CommandBuffer*>(retain(&c)));
  ++mutable_report().command_buffers;
}

void wait(Id self, Sel) {
  CommandBuffer& c = commands_of(self);
  if (c.status < Status::committed) misuse("waitUntilCompleted before commit");
  execute_until(c);
}

UInteger status(Id self, Sel) {
  CommandBuffer& c = commands_of(self);
  if (c.status == Status::committed && ++c.polls > polls_until_done) execute_until(c);
  return static_cast<UInteger>(c.status);
}

void encode_event(Id self, Id event, std::uint64_t value, Command::Kind kind) {
  CommandBuffer& c = commands_of(self);
  if (c.is_encoding) misuse("an event is encoded while an encoder is open");
  Command command;
  command.kind = kind;
  command.event = static_cast<SharedEvent*>(retain(event));
  command.value = value;
  c.commands.push_back(command);
}

void define_command_buffer() {
  method("MTLCommandBuffer", '-', "enqueue", +[](Id self, Sel) { commands_of(self).status = Status::enqueued; });
  method("MTLCommandBuffer", '-', "commit", commit);
  method("MTLCommandBuffer", '-', "waitUntilCompleted", wait);
  method("MTLCommandBuffer", '-', "waitUntilScheduled", +[](Id, Sel) {});
  method("MTLCommandBuffer", '-', "status", status);
  method("MTLCommandBuffer", '-', "error", +[](Id self, Sel) -> Id { return commands_of(self).error; });
  method("MTLCommandBuffer", '-', "GPUStartTime", +[](Id self, Sel) { return commands_of(self).start; });
  method("MTLCommandBuffer", '-', "GPUEndTime", +[](Id self, Sel) { return commands_of(self).end; });
  method("MTLCommandBuffer", '-', "setLabel:", +[](Id, Sel, Id) {});
  method(
      "MTLCommandBuffer", '-',
      "addCompletedHandler:", +[](Id self, Sel, Block* block) { commands_of(self).handlers.push_back(block); });
  method(
      "MTLCommandBuffer", '-', "encodeSignalEvent:value:", +[](Id self, Sel, Id event, UInteger value) {
        encode_event(self, event, value, Command::Kind::signal);
      });
  method(
      "MTLCommandBuffer", '-', "encodeWaitForEvent:value:", +[](Id self, Sel, Id event, UInteger value) {
        encode_event(self, event, value, Command::Kind::wait);
      });
}

}  // namespace

void execute_until(CommandBuffer& last) {
  std::vector<CommandBuffer*>& waiting = last.queue->committed;
  while (last.status == Status::committed && !waiting.empty()) {
    CommandBuffer* const next = waiting.front();
    waiting.erase(waiting.begin());
    execute(*next);
    release(next);
  }
}

void execute_everything() {
  for (Queue* queue : queues()) {
    while (!queue->committed.empty()) execute_until(*queue->committed.back());
  }
}

void CommandBuffer::use(Buffer* used) {
  if (!buffers.insert(used).second) return;
  if (retains) retain(used);
}

void CommandBuffer::dispose() {
  if (is_encoding) finding("a command buffer is released while its encoder is open");
  for (const Command& command : commands) {  // never committed
    release(command.pipeline);
    release(command.event);
  }
  if (retains) {
    for (Buffer* b : buffers) release(b);
  }
  for (ResidencySet* set : sets) release(set);
  release(error);
  release(queue);
}

Queue::Queue() { queues().insert(this); }

void Queue::dispose() {
  queues().erase(this);
  for (ResidencySet* set : sets) release(set);
}

void define_commands() {
  method("MTLCommandQueue", '-', "commandBuffer", +[](Id self, Sel) { return new_commands(self, true); });
  method(
      "MTLCommandQueue", '-', "commandBufferWithUnretainedReferences",
      +[](Id self, Sel) { return new_commands(self, false); });
  method("MTLCommandQueue", '-', "setLabel:", +[](Id, Sel, Id) {});
  define_command_buffer();
}

}  // namespace fake_metal
