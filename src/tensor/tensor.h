// Views of arrays whose axes are types, so that a shape that is wrong does not compile.  Milestone M2.
//
//   Tensor<float, Tokens, Heads, HeadDim> q;      q.extent<Heads>()      q[t] is a Tensor<float, Heads, HeadDim>
//
// A Tensor is a pointer and its extents: it owns nothing, lies contiguous with the last axis fastest (as on paper, and
// as in PyTorch), and is passed by value. Buffer owns.
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

#include "base/ensure.h"
#include "base/pages.h"

namespace rung {

// The axes. An axis is only a name.
struct Tokens {
  static constexpr const char* name = "tokens";
};  // rows of a batch
struct Hidden {
  static constexpr const char* name = "hidden";
};  // hidden_size: the residual stream
struct Heads {
  static constexpr const char* name = "heads";
};  // query heads
// key/value heads: fewer than Heads under GQA
struct KvHeads {
  static constexpr const char* name = "kv_heads";
};
struct HeadDim {
  static constexpr const char* name = "head_dim";
};
struct QueryDim {
  static constexpr const char* name = "query_dim";
};  // heads · head_dim
struct KvDim {
  static constexpr const char* name = "kv_dim";
};  // kv_heads · head_dim
struct Intermediate {
  static constexpr const char* name = "intermediate";
};  // intermediate_size: inside the MLP
struct Vocab {
  static constexpr const char* name = "vocab";
};
struct Keys {
  static constexpr const char* name = "keys";
};  // positions that attention looks at
struct Frequencies {
  static constexpr const char* name = "frequencies";
};  // head_dim / 2 rotation speeds

template <class T, class... Axes>
class Tensor {
  static_assert(sizeof...(Axes) > 0);

 public:
  static constexpr std::size_t rank = sizeof...(Axes);
  using Extents = std::array<std::size_t, rank>;

  Tensor() = default;
  Tensor(T* data, Extents extents) : data_(data), extents_(extents) {}

  // A writable view serves where a read-only one is asked for.
  template <class U>
    requires(std::is_same_v<const U, T> && !std::is_const_v<U>)
  Tensor(Tensor<U, Axes...> other) : data_(other.data()), extents_(other.extents()) {}  // NOLINT: implicit on purpose

  T* data() const { return data_; }
  const Extents& extents() const { return extents_; }
  std::size_t size() const {
    std::size_t n = 1;
    for (const std::size_t e : extents_) n *= e;
    return n;
  }
  std::span<T> span() const { return {data_, size()}; }

  template <class Axis>
  std::size_t extent() const {
    return extents_[index_of<Axis>()];
  }

  // The i-th slice along the first axis; of a vector, its i-th element.
  decltype(auto) operator[](std::size_t i) const {
    if constexpr (rank == 1) {
      assert(i < extents_[0]);  // alone of these checks in the innermost loops: not in every build
      return (data_[i]);
    } else {
      ensure(i < extents_[0], "Tensor: there is no such slice");
      return slice(i, static_cast<Tail<Axes...>*>(nullptr));
    }
  }

  // The first n slices.
  Tensor first(std::size_t n) const {
    ensure(n <= extents_[0], "Tensor: there are not so many slices");
    Extents e = extents_;
    e[0] = n;
    return {data_, e};
  }

  // The same values under other axes of the same total size: x.as<Tokens, Heads, HeadDim>(t, h, d).
  template <class... NewAxes, class... Sizes>
  Tensor<T, NewAxes...> as(Sizes... sizes) const {
    static_assert(sizeof...(NewAxes) == sizeof...(Sizes));
    const Tensor<T, NewAxes...> view(data_, {static_cast<std::size_t>(sizes)...});
    ensure(view.size() == size(), "Tensor: other axes of another size");
    return view;
  }

 private:
  template <class...>
  struct Tail {};

  template <class First, class... Rest>
  Tensor<T, Rest...> slice(std::size_t i, Tail<First, Rest...>*) const {
    typename Tensor<T, Rest...>::Extents rest{};
    std::size_t stride = 1;
    for (std::size_t k = 1; k < rank; ++k) {
      rest[k - 1] = extents_[k];
      stride *= extents_[k];
    }
    return {data_ + i * stride, rest};
  }

  template <class Axis>
  static constexpr std::size_t index_of() {
    static_assert((std::is_same_v<Axis, Axes> || ...), "this tensor has no such axis");
    constexpr std::array<bool, rank> same{std::is_same_v<Axis, Axes>...};
    std::size_t i = 0;
    while (!same[i]) ++i;
    return i;
  }

  T* data_ = nullptr;
  Extents extents_{};
};

// Memory that a backend made, because it cannot reach just any: zeroed, aligned to 64 bytes, gone with this.
class BackendMemory {
 public:
  virtual ~BackendMemory() = default;
  virtual std::byte* data() const = 0;
};

// Owns the values of tensors: aligned for the widest registers (64 bytes), zeroed. What is large lies in large pages:
// rows that are written by columns touch a page each, and a processor remembers the addresses of few pages.
template <class T>
class Buffer {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_default_constructible_v<T>,
                "zero bytes must be a value");

 public:
  Buffer() = default;
  explicit Buffer(std::size_t size) : Buffer(size, nullptr) {}
  // In memory of size·sizeof(T) bytes that a backend gave, where it gave any.
  Buffer(std::size_t size, std::unique_ptr<BackendMemory> memory) : given_(std::move(memory)), size_(size) {
    if (given_ != nullptr) return;
    if (size * sizeof(T) >= kLarge) {
      pages_ = Pages(size * sizeof(T));
    } else {
      small_.reset(static_cast<T*>(::operator new[](size * sizeof(T), std::align_val_t{64})));
      std::uninitialized_value_construct_n(small_.get(), size);
    }
  }

  T* data() const {
    if (small_ != nullptr) return small_.get();
    return reinterpret_cast<T*>(given_ != nullptr ? given_->data() : pages_.data());
  }
  std::size_t size() const { return size_; }

  template <class... Axes, class... Sizes>
  Tensor<T, Axes...> as(Sizes... sizes) const {
    const Tensor<T, Axes...> view(data(), {static_cast<std::size_t>(sizes)...});
    ensure(view.size() <= size_, "Buffer: a tensor larger than its memory");
    return view;
  }

 private:
  struct Free {
    void operator()(T* p) const { ::operator delete[](p, std::align_val_t{64}); }
  };
  static constexpr std::size_t kLarge = std::size_t{2} << 20;

  std::unique_ptr<T[], Free> small_;
  Pages pages_;
  std::unique_ptr<BackendMemory> given_;
  std::size_t size_ = 0;
};

}  // namespace rung
