// What memory is taken, and what happens when there is none. The decode loop takes none: what a token needs was made
// when the first ones came, and what a thread needs with the team's first work; only the cache grows, a block at a
// time. Where an allocation fails, or a callback throws, a session knows what it has; and a model takes its panels with
// it.
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <new>
#include <stdexcept>

#include "base/arena.h"
#include "engine/device.h"
#include "engine/session.h"
#include "model/golden_model.h"
#include "ops/traced.h"
#include "paths.h"
#include "sanitized.h"

#if defined(__linux__) && !defined(RUNG_SANITIZED)
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace {

std::atomic<std::size_t> allocations{0};
std::atomic<std::size_t> until_failure{0};  // the n-th allocation from now on fails; 0: none

bool succeeds() {
  ++allocations;
  std::size_t left = until_failure;
  while (left > 0 && !until_failure.compare_exchange_weak(left, left - 1)) {
  }
  return left != 1;
}

}  // namespace

// The program's own `new`, counted: a program may replace these functions. (Inlined, GCC takes free() for the wrong way
// to give back.)
[[gnu::noinline]] void* operator new(std::size_t size) {
  if (void* p = succeeds() ? std::malloc(size == 0 ? 1 : size) : nullptr) return p;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
  const auto unit = static_cast<std::size_t>(alignment);
  if (void* p = succeeds() ? std::aligned_alloc(unit, (size + unit - 1) / unit * unit) : nullptr) return p;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

// So may it replace mmap, from which large memory comes (base/pages.h).
#if defined(__linux__) && !defined(RUNG_SANITIZED)
extern "C" void* mmap(void* address, std::size_t size, int protection, int flags, int file, off_t offset) noexcept {
  if ((flags & MAP_ANONYMOUS) != 0 && !succeeds()) {
    errno = ENOMEM;
    return MAP_FAILED;
  }
  return reinterpret_cast<void*>(::syscall(SYS_mmap, address, size, protection, flags, file, offset));
}
#endif

namespace rung {
namespace {

struct Loaded {
  explicit Loaded(const std::string& name)
      : files(golden_folder() / "models" / name), model(bind_weights(files.plan, files.tensors())) {}
  const GoldenFiles files;
  const Model model;
};

class Allocations : public testing::TestWithParam<std::string> {};

// When a thread has its first share is left to the moment: of so many teams of so many threads, some have theirs late.
TEST_P(Allocations, DoNotHappenInTheDecodeLoop) {
  const Loaded loaded(GetParam());
  for (int team = 0; team < 20; ++team) {
    Device device("cpu", 8);
    Session session(loaded.model, device.ops());
    const std::int32_t id = 7;
    // Three times 64 positions and one: a block of the cache has just begun.
    for (std::size_t i = 0; i < 3 * kKvBlock + 1; ++i) session.feed({&id, 1});
    const std::size_t before = allocations;
    for (std::size_t i = 0; i < kKvBlock - 1; ++i) session.feed({&id, 1});
    EXPECT_EQ(allocations - before, 0u);
  }
}

INSTANTIATE_TEST_SUITE_P(Everywhere, Allocations, testing::Values("llama", "qwen3", "gemma3"));

// ---- A session after an exception ----

const std::vector<std::int32_t> kIds{7, 3, 50, 9, 9, 120, 4};
constexpr std::size_t kBefore = 2;  // of these, that went well

// On the reference every verb takes memory in the team's threads; without the cache, all is computed again.
struct Place {
  const char* device;
  bool keep_cache;
};

class SessionAfterAnException : public testing::TestWithParam<Place> {
 protected:
  static SessionOptions options() { return {.keep_cache = GetParam().keep_cache, .chunk_tokens = 3}; }

  static std::vector<float> undisturbed() {
    const Loaded loaded("llama");
    Device device(GetParam().device, 2);
    Session session(loaded.model, device.ops(), options());
    const auto logits = session.feed(kIds);
    return {logits.begin(), logits.end()};
  }

  // Whether feed(session) threw. Afterwards the session must be able to go on to the logits that it would have had.
  template <class Feed>
  static bool throws(Session& session, const std::vector<float>& expected, const Feed& feed) {
    bool threw = false;
    try {
      feed(session);
    } catch (const std::exception&) {
      threw = true;
    }
    until_failure = 0;
    EXPECT_TRUE(std::equal(session.tokens().begin(), session.tokens().end(), kIds.begin()));
    EXPECT_LE(session.tokens().size(), kIds.size());
    const auto logits = session.become(kIds);
    EXPECT_EQ(std::vector<float>(logits.begin(), logits.end()), expected);
    return threw;
  }
};

TEST_P(SessionAfterAnException, AnyAllocationMayFail) {
  const std::vector<float> expected = undisturbed();
  for (const std::size_t before : {std::size_t{0}, kBefore}) {
    std::size_t failures = 0;
    for (std::size_t n = 1; n == failures + 1 && !HasFailure(); ++n) {
      SCOPED_TRACE(n);
      const Loaded loaded("llama");  // whose panels are made in the first pass
      Device device(GetParam().device, 2);
      Session session(loaded.model, device.ops(), options());
      if (before > 0) session.feed(std::span(kIds).first(before));
      failures += throws(session, expected, [&](Session& s) {
        until_failure = n;
        s.feed(std::span(kIds).subspan(before));
      });
    }
    if (before == 0) {  // later, the decode loop takes none
      EXPECT_GT(failures, 10u);
    }
  }
}

TEST_P(SessionAfterAnException, AnyCallbackMayThrow) {
  const std::vector<float> expected = undisturbed();
  const Loaded loaded("llama");
  Device device(GetParam().device, 2);
  std::size_t until_throw = 0;
  const auto callback = [&] {
    if (until_throw > 0 && --until_throw == 0) throw std::runtime_error("thrown by a callback");
  };
  TracedOps traced(device.ops(), [&](const Checkpoint&, const NamedTensor&) { callback(); });
  std::size_t failures = 0;
  for (std::size_t n = 1; n == failures + 1 && !HasFailure(); ++n) {
    SCOPED_TRACE(n);
    Session session(loaded.model, traced, options());
    session.feed(std::span(kIds).first(kBefore));
    failures += throws(session, expected, [&](Session& s) {
      until_throw = n;
      s.feed(std::span(kIds).subspan(kBefore), [&](std::size_t, std::size_t) { return callback(), true; });
      until_throw = 0;
    });
    until_throw = 0;
  }
  EXPECT_GT(failures, 2 * 2 * 10u) << "two chunks, two layers, and some checkpoints in each";
}

INSTANTIATE_TEST_SUITE_P(Everywhere, SessionAfterAnException,
                         testing::Values(Place{"cpu", true}, Place{"cpu", false}, Place{"reference", true},
                                         Place{"reference", false}),
                         [](const auto& place) {
                           return std::string(place.param.device) + (place.param.keep_cache ? "" : "_no_cache");
                         });

// ---- Panels ----

TEST(Panels, GoWithTheirModel) {
  Device device("cpu", 2);
  const std::size_t before = Arena::bytes_of_all();
  for (int i = 0; i < 40; ++i) {
    const Loaded loaded("llama");
    Session session(loaded.model, device.ops());
    session.feed(kIds);
    EXPECT_GT(Arena::bytes_of_all(), before);
  }
  EXPECT_EQ(Arena::bytes_of_all(), before);
}

TEST(Panels, AreSharedByDevices) {
  const Loaded loaded("llama");
  std::size_t bytes = 0;
  std::vector<float> first;
  for (int i = 0; i < 2; ++i) {
    Device device("cpu", 2);
    Session session(loaded.model, device.ops());
    const auto logits = session.feed(kIds);
    if (i == 0) {
      bytes = Arena::bytes_of_all();
      first.assign(logits.begin(), logits.end());
    }
    EXPECT_EQ(std::vector<float>(logits.begin(), logits.end()), first);
    EXPECT_EQ(Arena::bytes_of_all(), bytes);
  }
}

}  // namespace
}  // namespace rung
