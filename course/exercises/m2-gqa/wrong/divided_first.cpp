// cause: divided-first
// fails: by-hand
#include "learn.h"

std::size_t key_head(std::size_t head, std::size_t heads, std::size_t kv_heads) { return head / heads * kv_heads; }
