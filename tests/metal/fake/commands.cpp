// MTLCommandQueue and MTLCommandBuffer. Work is done as late as Metal allows, when the host waits for it: a host that
// forgets to wait meets buffers that it may not touch, and not a lucky result.
#include <algorithm>
#include <utility>

#include "device.h"

namespace fake_metal {
namespace {

constexpr int polls_until_done = 3;  // a host that asks for the status again and again gets there in the end

std::set<Queue*>& queues() {
  static std::set<Queue*> all;
  return all;
}

CommandBuffer& commands_of(Id self) { return *static_cast<CommandBuffer*>(self); }

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
      d.buffers[index] = {slot.bytes.data(), slot.bytes.size(), true};
    }
  }
  d.threadgroup_bytes = command.threadgroup_bytes;
  d.groups = size_of(command.groups);
  d.threads_per_group = size_of(command.threads);
  d.concurrent = command.concurrent;
  d.reachable = reachable_by(commands, command);
  d.options = settings().options;
  Report& r = mutable_report();
  ++r.dispatches;
  if (!settings().runs_kernels) return;
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

void let_go_of_all(CommandBuffer& commands) {
  for (const Command& command : commands.commands) {
    release(command.pipeline);
    release(command.event);
  }
  commands.commands.clear();
  if (commands.retains) {
    for (Buffer* b : commands.buffers) release(b);
  }
  commands.buffers.clear();
}

void execute(CommandBuffer& commands) {
  show_to_gpu(true);  // which is this program, too: what a later command buffer still keeps from the host
  commands.status = Status::completed;
  Settings& s = settings();
  if (s.fail_command_buffer > 0 && --s.fail_command_buffer == 0) {
    fail(commands, s.command_error, words_of(s.command_error));
  } else if (commands.lost_a_buffer) {
    fail(commands, CommandError::page_fault, words_of(CommandError::page_fault));
  } else {
    try {
      perform(commands);
    } catch (const metal_emulator::Fault& fault) {
      finding(fault.what());
      fail(commands, CommandError::page_fault, fault.what());
    }
  }
  for (Buffer* b : commands.buffers) show_to_host(*b);
  show_to_gpu(false);
  let_go_of_all(commands);
  for (Block* handler : commands.handlers) handler->invoke(handler, &commands);
  commands.handlers.clear();
}

void commit(Id self, Sel) {
  CommandBuffer& c = commands_of(self);
  if (c.is_encoding) misuse("commit before endEncoding");
  if (c.status >= Status::committed) misuse("commit of a command buffer that was committed");
  c.status = Status::committed;
  Settings& s = settings();
  c.hangs = s.hang_command_buffer > 0 && --s.hang_command_buffer == 0;
  for (Buffer* b : c.buffers) hide_from_host(*b);
  c.queue->committed.push_back(static_cast<CommandBuffer*>(retain(&c)));
  ++mutable_report().command_buffers;
}

void wait(Id self, Sel) {
  CommandBuffer& c = commands_of(self);
  if (c.status < Status::committed) misuse("waitUntilCompleted before commit");
  execute_until(c);
  if (c.status == Status::committed) misuse("waitUntilCompleted never returns: the GPU hangs");
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
  method("MTLCommandBuffer", '-', "commit", commit);
  method("MTLCommandBuffer", '-', "waitUntilCompleted", wait);
  method("MTLCommandBuffer", '-', "status", status);
  method("MTLCommandBuffer", '-', "error", +[](Id self, Sel) -> Id { return commands_of(self).error; });
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
  while (last.status == Status::committed && !waiting.empty() && !waiting.front()->hangs) {
    CommandBuffer* const next = waiting.front();
    waiting.erase(waiting.begin());
    execute(*next);
    release(next);
  }
}

void execute_everything() {
  const std::set<Queue*> all = queues();  // which may lose some
  for (Queue* queue : all) {
    if (!queue->committed.empty()) execute_until(*queue->committed.back());
  }
}

void give_up_what_waits() {
  const std::set<Queue*> all = queues();
  for (Queue* queue : all) {
    if (queue->committed.empty()) continue;
    const std::vector<CommandBuffer*> waiting = std::exchange(queue->committed, {});
    const Id held = retain(queue);
    for (CommandBuffer* commands : waiting) {
      for (Buffer* b : commands->buffers) show_to_host(*b);
      fail(*commands, CommandError::timeout, "given up");
      let_go_of_all(*commands);
      release(commands);
    }
    release(held);
  }
}

void take_from_command_buffers(Buffer& released) {
  for (Queue* queue : queues()) {
    for (CommandBuffer* commands : queue->committed) {
      if (commands->buffers.erase(&released) > 0) commands->lost_a_buffer = true;
    }
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
  define_command_buffer();
}

}  // namespace fake_metal
