// MTLBuffer. Each ends at a page that nobody may touch; and while the GPU may be using one, the host may not.
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include <sys/mman.h>
#include <unistd.h>

#include "device.h"

namespace fake_metal {
namespace {

constexpr std::size_t host_page = 4096;
constexpr std::size_t alignment = 16;  // of a buffer's first byte, at least (Apple's are aligned to a page)

std::size_t up_to(std::size_t n, std::size_t unit) { return (n + unit - 1) / unit * unit; }

Storage storage_of(UInteger options) { return static_cast<Storage>(options >> 4 & 15); }  // MTLResourceStorageModeShift

std::set<Buffer*>& hidden() {
  static std::set<Buffer*> all;
  return all;
}

// A host that touches a buffer before the command buffer is completed is told so, and ended.
void on_bad_address(int signal, siginfo_t* info, void*) {
  const unsigned char* const at = static_cast<unsigned char*>(info->si_addr);
  for (const Buffer* b : hidden()) {
    if (at < b->mapping || at >= b->mapping + b->mapped_bytes) continue;
    static const char words[] = "fake Metal: the host touches a buffer before its command buffer is completed\n";
    const auto written = ::write(STDERR_FILENO, words, sizeof words - 1);
    static_cast<void>(written);
    std::abort();
  }
  std::signal(signal, SIG_DFL);  // some other fault: it happens again, and ends the program as it would have
}

void watch_addresses() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction action{};
    action.sa_sigaction = on_bad_address;
    action.sa_flags = SA_SIGINFO;
    ::sigaction(SIGSEGV, &action, nullptr);
  });
}

Id new_buffer(Id, Sel, UInteger bytes, UInteger options) {
  if (bytes == 0 || bytes > settings().max_buffer_length) return nullptr;
  if (storage_of(options) == Storage::memoryless) misuse("a buffer cannot be memoryless");
  const std::size_t usable = up_to(bytes, host_page);
  void* const memory =
      ::mmap(nullptr, usable + host_page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  Buffer* const made = make<Buffer>("MTLBuffer");
  made->mapping = static_cast<unsigned char*>(memory);
  made->mapped_bytes = usable;
  ::mprotect(made->mapping + usable, host_page, PROT_NONE);
  made->data = made->mapping + usable - up_to(bytes, alignment);
  made->bytes = bytes;
  made->storage = storage_of(options);
  return made;
}

// Memory of the host's, whole pages of it: anything else Metal refuses.
Id new_buffer_over(Id, Sel, void* pages, UInteger bytes, UInteger options, Block* deallocator) {
  const std::size_t page = settings().page_bytes;
  const bool is_whole = reinterpret_cast<std::size_t>(pages) % page == 0 && bytes % page == 0 && bytes > 0;
  if (!pages || !is_whole || bytes > settings().max_buffer_length) return nullptr;
  if (storage_of(options) != Storage::shared) misuse("a buffer over the host's memory is shared");
  Buffer* const made = make<Buffer>("MTLBuffer");
  made->data = static_cast<unsigned char*>(pages);
  made->bytes = bytes;
  made->deallocator = deallocator;
  return made;
}

}  // namespace

void Buffer::dispose() {
  if (in_flight > 0) {
    finding("MTLBuffer released while a command buffer uses it");
    take_from_command_buffers(*this);
  }
  hidden().erase(this);
  if (mapping) ::munmap(mapping, mapped_bytes + host_page);
  mapping = nullptr;
  if (deallocator) deallocator->invoke(deallocator, nullptr);
}

Buffer* buffer(Id object, const char* wanted_by) {
  Buffer* const found = dynamic_cast<Buffer*>(object);
  if (!found) misuse(std::string{wanted_by} + ": an MTLBuffer is wanted");
  if (found->owners <= 0) misuse(std::string{wanted_by} + ": a released MTLBuffer");
  return found;
}

void hide_from_host(Buffer& b) {
  watch_addresses();
  if (++b.in_flight > 1 || !b.mapping) return;
  hidden().insert(&b);
  ::mprotect(b.mapping, b.mapped_bytes, PROT_NONE);
}

void show_to_host(Buffer& b) {
  if (--b.in_flight > 0 || !b.mapping) return;
  hidden().erase(&b);
  ::mprotect(b.mapping, b.mapped_bytes, PROT_READ | PROT_WRITE);
}

void show_to_gpu(bool is_running) {
  for (const Buffer* b : hidden()) {
    ::mprotect(b->mapping, b->mapped_bytes, is_running ? PROT_READ | PROT_WRITE : PROT_NONE);
  }
}

void define_buffers() {
  method("MTLDevice", '-', "newBufferWithLength:options:", new_buffer);
  method("MTLDevice", '-', "newBufferWithBytesNoCopy:length:options:deallocator:", new_buffer_over);
  method("MTLBuffer", '-', "length", +[](Id self, Sel) -> UInteger { return static_cast<Buffer*>(self)->bytes; });
  method(
      "MTLBuffer", '-', "gpuAddress",
      +[](Id self, Sel) { return reinterpret_cast<UInteger>(static_cast<Buffer*>(self)->data); }, 13);
  method(
      "MTLBuffer", '-', "contents", +[](Id self, Sel) -> void* {
        const Buffer& b = *static_cast<Buffer*>(self);
        return b.storage == Storage::private_ ? nullptr : b.data;
      });
}

}  // namespace fake_metal
