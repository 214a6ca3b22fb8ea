// What a kernel of yours may use besides metal_stdlib:
//
//   not_yet("softmax");   says that a kernel is still to be written: take it away when yours is
//
// On a Mac it does nothing: there is nobody there to hear it.
#ifndef RUNG_LEARN_METAL_H
#define RUNG_LEARN_METAL_H

#ifdef RUNG_EMULATOR
void rung_kernel_not_yet();
#define not_yet(what) rung_kernel_not_yet()
#else
#define not_yet(what)
#endif

#endif
