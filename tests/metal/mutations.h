// Faults that a hand could plant in our kernels and in what our host says to Metal, and what runs to find them.
//
// Of a kernel: a text of its source becomes another. All are compiled at once: where a mutation is, there stands a
// choice by a function constant, which is 0 unless a test asks for one of them. (DeMillo 1978, "Hints on test data
// selection"; the choice by a number: Untch 1993, "mutant schemata".) Of the host: a message that is not sent, or with
// other arguments, as if its line were wrong.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "metal/fake/fake_metal.h"
#include "tensor/dtype.h"

namespace rung::mutations {

// What is run: a tiny model, its logits after 40 tokens, after 30 and after one more, or a linear layer in a format:
// rows and columns that end inside a tile, a token, nine and forty.
struct Trial {
  std::string_view model;  // empty: a linear layer
  DType type;              // of the cache, or of the layer
};

// In which mode it runs: in_order, checked, strict; shuffled: by a seed, held against the bits that come in order.
enum class Mode { in_order, shuffled, checked, strict };

struct KernelMutation {
  std::string_view name;
  std::string_view after;     // the text that stands before, so that `from` is the first of its kind
  std::string_view from, to;  // an expression, or a statement with its ;
  Trial trial;
  Mode mode;
};
const std::vector<KernelMutation>& kernel_mutations();
// Our kernels with all of them. Throws std::logic_error: a text is no longer there.
std::string mutated(std::string source);

struct HostMutation {
  std::string_view name;
  std::function<void(fake_metal::Settings&)> plant;
  Mode mode = Mode::in_order;
  Trial trial = {"llama", DType::f16};
};
const std::vector<HostMutation>& host_mutations();

// What a run finds, in a process of its own (a mutation may end it): empty, or the first words of it. `number`: of a
// kernel's mutation, from 1.
std::string found(const Trial& trial, Mode mode, unsigned number = 0,
                  const std::function<void(fake_metal::Settings&)>& plant = {});

}  // namespace rung::mutations
