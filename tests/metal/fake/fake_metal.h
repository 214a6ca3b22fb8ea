// What a test may ask of the fake Objective-C runtime and its Metal device, and tell them to be like.
//
// The fake has the C functions that a program calls (objc_msgSend, sel_registerName, objc_getClass, the autorelease
// pools, MTLCreateSystemDefaultDevice) and behind them a Metal device that runs kernels in the emulator. A program that
// is linked with it, or runs with it in LD_PRELOAD, meets it instead of Apple's.
//
// What a host must not do throws Misuse, at the message that does it: a selector that the class has not, a message to a
// released object, a dispatch with nothing bound … What a real system would only suffer in silence is a finding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "emulator/emulator.h"

namespace fake_metal {

class Misuse : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

// MTLCommandBufferError
enum class CommandError : long { none = 0, internal = 1, timeout = 2, page_fault = 3, out_of_memory = 8 };

struct Settings {
  bool has_device = true;
  std::string device_name = "CPU emulator";
  unsigned macos = 15;        // an older one lacks some selectors: setMathMode:, residency sets
  unsigned apple_family = 7;  // M1 is 7; supportsFamily: says yes to it and those below
  std::size_t max_buffer_length = std::size_t{8} << 30;
  std::size_t working_set = std::size_t{8} << 30;  // recommendedMaxWorkingSetSize
  std::size_t page_bytes = 16384;  // of an Apple processor: newBufferWithBytesNoCopy: takes whole pages alone

  metal_emulator::Build build = metal_emulator::Build::plain;  // how kernels are compiled from now on, and run
  metal_emulator::Options options = {};
  bool runs_kernels = true;  // or only counts them: for a test of what the host does, over many tokens

  // Faults of the system, on order. A count of n: the n-th from when it was set, from 1.
  unsigned fail_command_buffer = 0;  // ends with `command_error`, its kernels not run
  CommandError command_error = CommandError::out_of_memory;
  unsigned hang_command_buffer = 0;  // never ends, nor do those after it; until reset()
  std::string fail_selector = {};    // this selector, whose result is an object,
  unsigned fail_call = 0;            // gives nil at its n-th call

  // Mutations: a host, or its kernels, as if somebody had written a line otherwise. Whoever tests must notice.
  std::function<std::string(std::string)> edit_source = {};       // of a library, before it is compiled
  std::map<unsigned, std::vector<unsigned char>> constants = {};  // function constants, beside those that the host sets
  std::map<std::string, void (*)()> instead = {};  // by selector: what answers, not the method (objects.h)
  bool no_pools = false;                           // objc_autoreleasePoolPush does nothing
};
// At the start of a program, from the environment: RUNG_FAKE_METAL="checked seed=3 strict macos=14 max_buffer=1048576".
Settings& settings();

// How a library was asked for.
struct LibraryRequest {
  std::size_t language_version = 0;  // 0: not asked for
  long math_mode = -1;               // MTLMathMode; -1: not set
  int fast_math = -1;                // setFastMathEnabled:; -1: not set, which means yes
};

// What happened since the last reset().
struct Report {
  std::vector<std::string> findings;         // what a real system suffers in silence, and faults of kernels
  std::map<std::string, std::size_t> calls;  // messages by selector
  std::map<std::string, std::size_t> live;   // objects by class, that were not released
  std::vector<LibraryRequest> libraries;
  std::vector<std::string> kernels;  // dispatched, in order
  std::size_t command_buffers = 0, dispatches = 0;
  std::size_t waited_ms = 0;              // in vain: the fake's clock, which nobody waits for
  metal_emulator::Statistics statistics;  // of all dispatches together
};
const Report& report();
void reset();  // the report, but for the objects that live; what waits or hangs is given up

// Of the buffers in residency sets that were asked to stay in memory.
std::size_t kept_bytes();

// A row of tests/metal/selectors.tsv: what Apple's headers say, by at least two readers of them.
struct Selector {
  std::string owner;  // class or protocol
  char kind;          // '+' to the class, '-' to an object
  std::string name;
  std::string encoding;  // result, object, selector, arguments: "@@:QQ"
  bool gives_ownership;  // the caller releases it
};
const std::vector<Selector>& selectors();
// An encoding as the table has it: without what no register holds, const (r) and the names of structs.
std::string plain(const std::string& encoding);
const Selector* selector(const std::string& owner, char kind, const std::string& name);  // null: none such

}  // namespace fake_metal
