#include "text/unicode.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>
#include <vector>

#include "base/utf8.h"

namespace rung {
namespace {

enum class Category : std::uint8_t {
  Lu,
  Ll,
  Lt,
  Lm,
  Lo,
  Mn,
  Mc,
  Me,
  Nd,
  Nl,
  No,
  Pc,
  Pd,
  Ps,
  Pe,
  Pi,
  Pf,
  Po,
  Sm,
  Sc,
  Sk,
  So,
  Zs,
  Zl,
  Zp,
  Cc,
  Cf,
  Co,
  Cn
};
constexpr std::string_view category_names = "LuLlLtLmLoMnMcMeNdNlNoPcPdPsPePiPfPoSmScSkSoZsZlZpCcCfCoCn";

struct KindInfo {
  Category category;
  bool word, space, digit, punctuation, plain_word, han;
};
struct NormInfo {
  std::uint8_t combining_class;
  std::uint8_t busy;  // bit per NormalForm
};
struct Mapping {
  char32_t from;
  std::uint16_t offset, length;  // in the table's pool
};
struct Composition {
  char32_t first, second, composite;
};

#include "text/unicode_tables.inc"

template <class Predicate>
KindSet kinds_where(Predicate holds) {
  KindSet set = 0;
  for (std::size_t i = 0; i < std::size(kind_infos); ++i) {
    if (holds(kind_infos[i])) set |= KindSet{1} << i;
  }
  return set;
}

const NormInfo& norm_of(char32_t c) {
  return norm_infos[norm_blocks[norm_index[c / block_size] * block_size + c % block_size]];
}

template <std::size_t N>
std::u32string_view find(const Mapping (&table)[N], const char32_t* pool, char32_t c) {
  const Mapping* m =
      std::lower_bound(std::begin(table), std::end(table), c, [](const Mapping& a, char32_t b) { return a.from < b; });
  if (m == std::end(table) || m->from != c) return {};
  return {pool + m->offset, m->length};
}

// Korean syllables are arithmetic: leading consonant · 588 + vowel · 28 + trailing consonant (Unicode standard,
// chapter 3.12).
constexpr char32_t hangul = 0xac00, hangul_end = 0xd7a4, lead = 0x1100, vowel = 0x1161, trail = 0x11a7;

char32_t compose(char32_t a, char32_t b) {
  if (a >= lead && a < lead + 19 && b >= vowel && b < vowel + 21) return hangul + ((a - lead) * 21 + (b - vowel)) * 28;
  if (a >= hangul && a < hangul_end && (a - hangul) % 28 == 0 && b > trail && b < trail + 28) return a + (b - trail);
  const Composition* c =
      std::lower_bound(std::begin(compositions), std::end(compositions), std::pair{a, b},
                       [](const Composition& x, const auto& y) { return std::pair{x.first, x.second} < y; });
  return c != std::end(compositions) && c->first == a && c->second == b ? c->composite : 0;
}

void decompose(std::u32string& out, char32_t c, bool compatibly) {
  if (c >= hangul && c < hangul_end) {
    const char32_t s = c - hangul;
    out.push_back(lead + s / 588);
    out.push_back(vowel + s % 588 / 28);
    if (s % 28 != 0) out.push_back(trail + s % 28);
    return;
  }
  std::u32string_view parts = compatibly ? find(compatibility, compatibility_pool, c) : std::u32string_view{};
  if (parts.empty()) parts = find(canonical, canonical_pool, c);
  if (parts.empty()) {
    out.push_back(c);
  } else {
    out.append(parts);
  }
}

// Marks behind a starter go in the order of their classes; equal ones keep their order.
void reorder(std::u32string& text) {
  std::vector<std::pair<std::uint64_t, char32_t>> marks;  // class and place, so that sorting is stable
  const auto class_of = [&](std::size_t i) -> std::uint64_t { return norm_of(text[i]).combining_class; };
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t begin = i;
    marks.clear();
    for (; i < text.size() && class_of(i) != 0; ++i) marks.emplace_back(class_of(i) << 32 | (i - begin), text[i]);
    std::sort(marks.begin(), marks.end());
    for (std::size_t k = 0; k < marks.size(); ++k) text[begin + k] = marks[k].second;
    if (marks.empty()) ++i;
  }
}

// Each character joins the last starter, unless something between them has the same class or a higher one.
void recompose(std::u32string& text) {
  std::size_t out = 0, starter = 0;
  bool has_starter = false;
  int last_class = -1;  // of what stands behind the starter: -1 for nothing
  for (const char32_t c : text) {
    const int klass = norm_of(c).combining_class;
    if (has_starter && last_class < klass) {
      if (const char32_t composite = compose(text[starter], c)) {
        text[starter] = composite;
        continue;
      }
    }
    if (klass == 0) {
      has_starter = true;
      starter = out;
      last_class = -1;
    } else {
      last_class = klass;
    }
    text[out++] = c;
  }
  text.resize(out);
}

void append_normal(std::string& out, std::string_view segment, NormalForm form) {
  std::u32string text;
  const bool compatibly = form == NormalForm::nfkc || form == NormalForm::nfkd;
  for (const char* p = segment.data(); p != segment.data() + segment.size();) {
    decompose(text, decode_utf8(p), compatibly);
  }
  reorder(text);
  if (form == NormalForm::nfc || form == NormalForm::nfkc) recompose(text);
  for (const char32_t c : text) append_utf8(out, c);
}

}  // namespace

Kind kind_of(char32_t c) { return kind_blocks[kind_index[c / block_size] * block_size + c % block_size]; }

std::optional<KindSet> category_kinds(std::string_view name) {
  if (name == "Han") {
    return kinds_where([](const KindInfo& k) { return k.han; });
  }
  if (name.empty() || name.size() > 2) return std::nullopt;
  KindSet set = 0;
  for (std::size_t i = 0; i < category_names.size(); i += 2) {
    if (category_names.substr(i, name.size()) == name) {
      set |= kinds_where([i](const KindInfo& k) { return static_cast<std::size_t>(k.category) == i / 2; });
    }
  }
  return set == 0 ? std::nullopt : std::optional{set};
}

KindSet space_kinds() {
  return kinds_where([](const KindInfo& k) { return k.space; });
}
KindSet word_kinds() {
  return kinds_where([](const KindInfo& k) { return k.word; });
}
KindSet plain_word_kinds() {
  return kinds_where([](const KindInfo& k) { return k.plain_word; });
}
KindSet digit_kinds() {
  return kinds_where([](const KindInfo& k) { return k.digit; });
}
KindSet punctuation_kinds() {
  return kinds_where([](const KindInfo& k) { return k.punctuation; });
}

// A character that is not busy neither changes nor joins the one before it, so a segment may end in front of it.
std::string normalize(std::string_view text, NormalForm form) {
  const auto busy = [form](char32_t c) { return (norm_of(c).busy >> static_cast<unsigned>(form) & 1) != 0; };
  const char* const end = text.data() + text.size();
  const char* done = text.data();  // everything before is in `out`
  const char* last = text.data();  // the start of the character before p
  std::string out;
  for (const char* p = text.data(); p != end;) {
    if (static_cast<unsigned char>(*p) < 0x80) {
      last = p++;
      continue;
    }
    const char* const here = p;
    if (!busy(decode_utf8(p))) {
      last = here;
      continue;
    }
    while (p != end) {
      const char* next = p;
      if (!busy(decode_utf8(next))) break;
      p = next;
    }
    out.append(done, last);
    append_normal(out, {last, static_cast<std::size_t>(p - last)}, form);
    done = last = p;
  }
  out.append(done, end);
  return out;
}

std::string lowercase(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char* p = text.data(); p != text.data() + text.size();) {
    const char32_t c = decode_utf8(p);
    const std::u32string_view lower = find(lowercase_map, lowercase_map_pool, c);
    if (lower.empty()) append_utf8(out, c);
    for (const char32_t l : lower) append_utf8(out, l);
  }
  return out;
}

void for_each_case_variant(const std::function<void(char32_t, char32_t)>& visit) {
  for (const Mapping& m : case_fold) {
    for (std::size_t i = 0; i < m.length; ++i) visit(m.from, case_fold_pool[m.offset + i]);
  }
}

}  // namespace rung
