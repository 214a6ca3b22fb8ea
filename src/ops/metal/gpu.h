// A Mac's GPU as Rung uses it: kernels compiled from their source, memory that both sides see, and work that is
// recorded and then done.  Milestone M7.
//
//   source → library (compiled once) → a pipeline for each kernel and what is fixed in it, when first needed
//
//   dispatch, dispatch, …  recorded by an encoder into a command buffer      one after the other: each sees what those
//   finish()               handed to the GPU, and waited for                 before it wrote ("serial")
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ops/metal/messages.h"
#include "tensor/tensor.h"

namespace rung::metal {

// A place in a buffer of the GPU.
struct Place {
  objc::Id buffer = nullptr;
  objc::UInteger offset = 0;
};

// The kernels of src/kernels/metal/, by the name of their function.
enum class Kernel : std::uint8_t {
  embed,
  take_rows,
  rms_norm,
  linear_few,
  linear_many,
  gate_up_few,
  gate_up_many,
  rope,
  store_kv,
  heads,
  attention,
  attention_blocks,
  attention_combine,
  gate,
  add,
};

// A buffer that is ours, and kept in the memory that the GPU reaches for as long as this lives (Gpu::keep_resident).
// May outlive the Gpu.
class KeptBuffer {
 public:
  KeptBuffer() = default;
  KeptBuffer(objc::Object buffer, objc::Id residency_set);  // of a system that has none: null
  KeptBuffer(KeptBuffer&&) = default;
  KeptBuffer& operator=(KeptBuffer&&) = default;
  ~KeptBuffer();

  objc::Id id() const { return buffer_.id(); }
  explicit operator bool() const { return static_cast<bool>(buffer_); }

 private:
  objc::Object set_, buffer_;
};

// How many threadgroups of how many threads; bytes of threadgroup memory beside what the kernel declares.
struct Grid {
  objc::Size groups;
  objc::UInteger threads;
  objc::UInteger threadgroup_bytes = 0;
};

// What was asked of the GPU since the program began.
struct Counts {
  std::size_t dispatches = 0;
  std::size_t command_buffers = 0;
  std::size_t buffers = 0;        // that live
  std::size_t buffer_bytes = 0;   // of them, without what is wrapped
  std::size_t wrapped_bytes = 0;  // weights that lie where the file is mapped
  std::size_t copied_bytes = 0;   // weights that could not
};

class Gpu {
 public:
  // A tenth of a second or so on a small GPU. A command buffer that takes many seconds is stopped by the system, and
  // while one runs the screen may stand still.
  static constexpr std::size_t kMostWork = std::size_t{1} << 37;

  // `most_work`: multiplications in a command buffer. Throws Error: there is no Metal here, no GPU of Apple's, or the
  // kernels do not compile.
  explicit Gpu(std::size_t most_work = kMostWork);
  ~Gpu();
  Gpu(const Gpu&) = delete;
  Gpu& operator=(const Gpu&) = delete;

  const std::string& name() const { return name_; }
  bool is_virtual() const { return is_virtual_; }  // a virtual machine's, that passes on to the one of its host
  const Counts& counts() const { return counts_; }
  std::size_t most_bytes() const { return most_bytes_; }  // of a buffer

  // Memory that host and GPU see. Throws Error: none left. This outlives it.
  std::unique_ptr<BackendMemory> memory(std::size_t bytes);
  // Where the GPU sees `p`, which lies in such memory.
  Place place(const void* p) const;
  // The same as a number that a kernel makes a pointer of; until the next finish() the buffer may be read and written.
  std::uint64_t address(const void* p);
  // Copies what a kernel is to read until the next finish().
  Place upload(std::span<const std::byte> bytes);

  // A buffer over memory that is there: whole pages, which outlive it. Null where the system refuses.
  KeptBuffer wrap(const std::byte* pages, std::size_t bytes);
  KeptBuffer copy(std::span<const std::byte> bytes);

  // `args` and `buffers` are the kernel's arguments, in order; `constant` is what is fixed in it (args.h).
  void dispatch(Kernel kernel, std::uint32_t constant, std::span<const std::byte> args, std::span<const Place> buffers,
                const Grid& grid);
  // Says how much the last dispatch has to multiply, so that no command buffer takes seconds.
  void add_work(std::size_t multiplications);
  std::size_t most_work() const { return most_work_; }
  // All that was recorded is done. Throws Error: what the GPU says; or that it does not come back, and then so does all
  // that is asked of it later.
  void finish();

 private:
  class Piece;

  const Piece& piece_of(const std::byte* p) const;
  objc::Object compiled();
  objc::Id pipeline(Kernel kernel, std::uint32_t constant);
  objc::Id encoder();
  void commit();
  void wait_for(objc::Id commands, std::uint64_t signal);
  void refuse_when_lost() const;
  KeptBuffer kept(objc::Object buffer);
  void keep_resident();

  std::string name_;
  bool is_virtual_ = false;
  std::size_t most_bytes_ = 0, comfortable_bytes_ = 0;
  objc::Object device_, queue_, library_;
  objc::Object event_;          // raised to the number of each command buffer that is done
  std::uint64_t signals_ = 0;   // of those handed over
  objc::Object residency_set_;  // null before macOS 15
  bool residency_changed_ = false;
  bool lost_ = false;  // the GPU has not come back
  std::map<std::pair<Kernel, std::uint32_t>, objc::Object> pipelines_;
  std::map<const std::byte*, Piece*> pieces_;  // by where they begin
  objc::Object commands_, encoder_;            // what is being recorded, if anything is
  std::vector<objc::Object> committed_;        // and not yet waited for
  std::vector<objc::Id> used_;                 // buffers that kernels reach by address, since the last finish()
  struct Upload {
    std::unique_ptr<BackendMemory> memory;
    std::size_t bytes;
  };
  std::vector<Upload> uploads_;
  std::size_t upload_ = 0, upload_at_ = 0;  // where the next upload goes
  const std::size_t most_work_;
  std::size_t work_ = 0;
  Counts counts_;
};

}  // namespace rung::metal
