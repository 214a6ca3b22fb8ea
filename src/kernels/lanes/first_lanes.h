// The first n of sixteen lanes, where an instruction set has no masks: by way of memory that has room for all sixteen.
// Milestone M6.
//
// Included by the sets' lanes.h, inside their target region and namespace; V is the set that derives from this.
#pragma once

template <class V>
struct FirstLanes {
  static auto load_first(const float* p, std::size_t n) {  // the others are 0
    if (n == 16) return V::load(p);
    float some[16] = {};
    __builtin_memcpy(some, p, n * sizeof(float));
    return V::load(some);
  }
  template <class Floats>
  static void store_first(float* p, Floats x, std::size_t n) {
    if (n == 16) return V::store(p, x);
    float all[16];
    V::store(all, x);
    __builtin_memcpy(p, all, n * sizeof(float));
  }
};
