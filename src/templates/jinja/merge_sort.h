// A stable sort whose comparison is a template's: it may throw, and may contradict itself (NaN is neither less nor
// greater than anything). std::sort may run past its end on such a one; a merge sort asks only about what it has in
// hand.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace rung::jinja {

template <class Item, class Less>
void merge_sort(std::vector<Item>& items, Less less) {
  std::vector<Item> merged;
  for (std::size_t width = 1; width < items.size(); width *= 2) {
    merged.clear();
    for (std::size_t begin = 0; begin < items.size(); begin += 2 * width) {
      const std::size_t middle = std::min(begin + width, items.size());
      const std::size_t end = std::min(begin + 2 * width, items.size());
      std::size_t left = begin;
      std::size_t right = middle;
      while (left < middle || right < end) {
        const bool take_right = left == middle || (right < end && less(items[right], items[left]));
        merged.push_back(std::move(items[take_right ? right++ : left++]));
      }
    }
    items.swap(merged);
  }
}

}  // namespace rung::jinja
