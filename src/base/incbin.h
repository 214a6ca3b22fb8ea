// A file's bytes in the program, as they are.
#pragma once

#include <cstddef>

// `.incbin` is the assembler's way to take a file's bytes as they are. Two labels, one before and one after them, are
// what C++ sees of it.
#define RUNG_TEXT_OF(x) #x
#define RUNG_TEXT(x) RUNG_TEXT_OF(x)
#define RUNG_LABEL(label) RUNG_TEXT(__USER_LABEL_PREFIX__) #label
#if defined(__APPLE__)
#define RUNG_CONSTANTS ".const_data\n"
#define RUNG_BACK ".text\n"
#define RUNG_OBJECT(label)
#elif defined(__wasm__)  // where whatever lies in memory says that it is no function, and some size
#define RUNG_CONSTANTS ".section .rodata.files,\"\",@\n"
#define RUNG_BACK
#define RUNG_OBJECT(label) ".type " RUNG_LABEL(label) ",@object\n.size " RUNG_LABEL(label) ", 1\n"
#else
#define RUNG_CONSTANTS ".section .rodata\n"
#define RUNG_BACK ".previous\n"
#define RUNG_OBJECT(label)
#endif
#define RUNG_AT(label) ".globl " RUNG_LABEL(label) "\n" RUNG_OBJECT(label) RUNG_LABEL(label) ":\n"
#define RUNG_INCBIN(label, path)                                     \
  extern "C" const std::byte label[];                                \
  extern "C" const std::byte label##_end[];                          \
  asm(RUNG_CONSTANTS ".p2align 6\n" RUNG_AT(label) ".incbin \"" path \
                                                   "\"\n" RUNG_AT(label##_end) ".ascii \"\\0\"\n" RUNG_BACK)
