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

  // `most_work`: multiplications in a command buffer. Throws Error: there is no Metal here, or the kernels do not
  // compile.
  explicit Gpu(std::size_t most_work = kMostWork);
  ~Gpu();
  Gpu(const Gpu&) = delete;
  Gpu& operator=(const Gpu&) = delete;

  const std::string& name() const { return name_; }
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
  objc::Object wrap(const std::byte* pages, std::size_t bytes);
  objc::Object copy(std::span<const std::byte> bytes);

  // `args` and `buffers` are the kernel's arguments, in order; `constant` is what is fixed in it (args.h).
  void dispatch(Kernel kernel, std::uint32_t constant, std::span<const std::byte> args, std::span<const Place> buffers,
                const Grid& grid);
  // Says how much the last dispatch has to multiply, so that no command buffer takes seconds.
  void add_work(std::size_t multiplications);
  std::size_t most_work() const { return most_work_; }
  // All that was recorded is done. Throws Error: what the GPU says.
  void finish();

 private:
  class Piece;

  objc::Object compiled();
  objc::Id pipeline(Kernel kernel, std::uint32_t constant);
  objc::Id encoder();
  void commit();

  std::string name_;
  std::size_t most_bytes_ = 0;
  objc::Object device_, queue_, library_;
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
