#include "learn.h"

// Which of the kv_heads heads of keys does query head
// `head` (one of `heads`) use? Neighbours share.
std::size_t key_head(std::size_t head, std::size_t heads, std::size_t kv_heads) {
  const std::size_t queries_a_key = heads / kv_heads;
  return head / queries_a_key;
}
