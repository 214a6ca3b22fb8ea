// The objects of the fake Metal device.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "objects.h"

namespace fake_metal {

// ---- Foundation ----

struct String : Object {
  std::string text;
};
struct Error : Object {
  long code = 0;
  std::string description;
};
Id string(const std::string& text);  // autoreleased
const std::string& text_of(Id object);
Id error(long code, const std::string& description);

// ---- memory ----

enum class Storage : UInteger { shared = 0, managed = 1, private_ = 2, memoryless = 3 };

struct Buffer : Object {
  unsigned char* data = nullptr;
  std::size_t bytes = 0;
  Storage storage = Storage::shared;
  unsigned char* mapping = nullptr;  // of our own: the buffer's end touches a page that nobody may touch
  std::size_t mapped_bytes = 0;
  Block* deallocator = nullptr;  // of memory that the host lent
  int in_flight = 0;             // command buffers that may be using it
  void dispose() override;
  metal_emulator::Memory memory() const { return {data, bytes}; }
};
Buffer* buffer(Id object, const char* wanted_by);  // or Misuse
void hide_from_host(Buffer& buffer);               // between commit and completion
void show_to_host(Buffer& buffer);
void show_to_gpu(bool is_running);  // while a command buffer is done, of several that use the same

// ---- code ----

using Constants = std::map<unsigned, std::vector<unsigned char>>;

struct CompileOptions : Object {
  LibraryRequest request;
};
struct ConstantValues : Object {
  Constants values;
};
struct Library : Object {
  std::shared_ptr<metal_emulator::Library> library;
};
struct Function : Object {
  Library* library = nullptr;
  const msl::Kernel* kernel = nullptr;
  Constants constants;
  void dispose() override;
};
struct Pipeline : Object {
  Library* library = nullptr;
  const msl::Kernel* kernel = nullptr;
  Constants constants;
  UInteger max_threads = 0;
  void dispose() override;
};

// ---- work ----

struct ResidencySet : Object {
  ResidencySet();
  std::set<Buffer*> added, committed;
  bool stays = false;  // between requestResidency and endResidency
  std::size_t bytes() const;
  void dispose() override;
};
struct SharedEvent : Object {
  std::uint64_t value = 0;
};

struct Slot {  // what is bound: a buffer from an offset, or bytes
  Buffer* buffer = nullptr;
  UInteger offset = 0;
  std::vector<unsigned char> bytes;
  bool is_bound() const { return buffer || !bytes.empty(); }
};

struct Command {
  enum class Kind { dispatch, barrier, barrier_of_buffers, end_of_encoder, signal, wait } kind = Kind::dispatch;
  Pipeline* pipeline = nullptr;
  std::map<unsigned, Slot> slots;
  std::map<unsigned, std::size_t> threadgroup_bytes;
  MtlSize groups{}, threads{};
  bool concurrent = false;
  std::vector<Buffer*> buffers;  // made resident for it, or those that a barrier is for
  SharedEvent* event = nullptr;
  std::uint64_t value = 0;
};

struct Queue : Object {
  Queue();
  std::vector<struct CommandBuffer*> committed;  // in order, not yet executed
  std::vector<ResidencySet*> sets;
  void dispose() override;
};

// MTLCommandBufferStatus
enum class Status : UInteger { not_enqueued, enqueued, committed, scheduled, completed, error };

struct CommandBuffer : Object {
  Queue* queue = nullptr;
  bool retains = true;  // not, when made with unretained references
  Status status = Status::not_enqueued;
  bool is_encoding = false;
  bool hangs = false;
  bool lost_a_buffer = false;  // released before the GPU came to it
  int polls = 0;
  std::vector<Command> commands;
  std::set<Buffer*> buffers;  // all that are used
  std::vector<ResidencySet*> sets;
  std::vector<Block*> handlers;
  Error* error = nullptr;
  void dispose() override;
  void use(Buffer* used);
};
void execute_until(CommandBuffer& last);  // all of the queue up to it, in order
void execute_everything();                // that was committed, of all queues
void give_up_what_waits();                // the same ones, but they fail
void take_from_command_buffers(Buffer& released);

struct Encoder : Object {
  CommandBuffer* commands = nullptr;
  bool concurrent = false, ended = false;
  Pipeline* pipeline = nullptr;
  std::map<unsigned, Slot> slots;
  std::map<unsigned, std::size_t> threadgroup_bytes;
  std::vector<Buffer*> used;
  void dispose() override;
};

}  // namespace fake_metal
