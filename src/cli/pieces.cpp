#include "cli/pieces.h"

#include <fmt/format.h>

#include <algorithm>
#include <clocale>
#include <cwchar>
#include <iterator>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "cli/terminal.h"

namespace rung {

namespace {

// A token as people see it.
struct Cell {
  std::string piece, id;
  bool control = false;
  std::size_t columns = 0;  // of the wider of the two
};

Cell make_cell(TokenId id, const Tokenizer& tokenizer) {
  Cell cell{.piece = {},
            .id = fmt::format("{}{}", id, tokenizer.is_special(id) ? "*" : ""),
            .control = tokenizer.is_special(id)};
  for (const char c : visible(tokenizer.piece(id))) c == ' ' ? cell.piece += "·" : cell.piece += c;
  cell.columns = std::max(display_columns(cell.piece), cell.id.size());
  return cell;
}

void write_row(std::span<const Cell> cells, std::size_t first) {
  std::string pieces, ids;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const Cell& cell = cells[i];
    const std::string_view colour = cell.control ? style().control : style().stripes[(first + i) % 2];
    const bool is_last = i + 1 == cells.size();
    const std::string_view bar = is_last ? "" : "│";
    const auto padding = [&](std::size_t columns) { return std::string(is_last ? 0 : cell.columns - columns, ' '); };
    pieces += fmt::format("{}{}{}{}{}{}{}", colour, cell.piece, style().reset, padding(display_columns(cell.piece)),
                          style().dim, bar, style().reset);
    ids += fmt::format("{}{}{}{}{}", style().dim, cell.id, padding(cell.id.size()), bar, style().reset);
  }
  write_out(pieces + "\n" + ids + "\n");
}

// C's library knows how wide each character is, in a locale that is UTF-8.
locale_t utf8_locale() {
  static const locale_t kLocale = [] {
    for (const char* name : {"C.UTF-8", "en_US.UTF-8", ""}) {
      if (const locale_t found = newlocale(LC_CTYPE_MASK, name, nullptr)) return found;
    }
    return locale_t{};
  }();
  return kLocale;
}

// In that locale.
std::size_t columns_of(char32_t c) {
  const int width = wcwidth(static_cast<wchar_t>(c));
  return width < 0 ? 1 : static_cast<std::size_t>(width);
}

}  // namespace

std::size_t display_columns(std::string_view utf8) {
  const locale_t former = uselocale(utf8_locale());
  std::size_t columns = 0;
  for (const char* p = utf8.data(); p != utf8.data() + utf8.size();) columns += columns_of(decode_utf8(p));
  uselocale(former);
  return columns;
}

std::string clipped(std::string_view utf8, std::size_t columns) {
  if (display_columns(utf8) <= columns) return std::string(utf8);
  if (columns == 0) return {};
  const locale_t former = uselocale(utf8_locale());
  const char* end = utf8.data();
  for (std::size_t used = 0;;) {
    const char* p = end;
    used += columns_of(decode_utf8(p));
    if (used > columns - 1) break;  // the last is for the …
    end = p;
  }
  uselocale(former);
  return std::string(utf8.data(), end) + "…";
}

std::string count_of(std::size_t n, std::string_view what) {
  return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
}

void write_cells(std::span<const TokenId> ids, const Tokenizer& tokenizer) {
  const std::size_t limit = terminal_columns();
  std::vector<Cell> row;
  std::size_t columns = 0, first = 0;
  const auto flush = [&] {
    write_row(row, first);
    first += row.size();
    row.clear();
    columns = 0;
  };
  for (const TokenId id : ids) {
    Cell cell = make_cell(id, tokenizer);
    if (!row.empty() && columns + 1 + cell.columns > limit) {
      flush();
      write_out("\n");
    }
    columns += cell.columns + 1;
    row.push_back(std::move(cell));
  }
  if (!row.empty()) flush();
}

void write_ids_json(std::string opening, std::span<const TokenId> ids, const Tokenizer& tokenizer) {
  constexpr std::size_t kFlushBytes = 1 << 20;
  std::string out = std::move(opening);
  const auto flush = [&](std::size_t at_least) {
    if (out.size() < at_least) return;
    write_out(out);
    out.clear();
  };
  out += "\"ids\":[";
  for (std::size_t i = 0; i < ids.size(); ++i, flush(kFlushBytes)) {
    fmt::format_to(std::back_inserter(out), "{}{}", i == 0 ? "" : ",", ids[i]);
  }

  struct Quoted {
    std::string text, bytes;  // "bytes" only where the text does not say it all
  };
  std::unordered_map<TokenId, Quoted> known;  // most texts use few tokens, often
  std::string pieces_bytes;
  out += "],\"pieces\":[";
  for (std::size_t i = 0; i < ids.size(); ++i, flush(kFlushBytes)) {
    const auto [entry, is_new] = known.try_emplace(ids[i]);
    Quoted& quoted = entry->second;
    if (is_new) {
      OrderedJson piece;
      put_text(piece, "text", tokenizer.piece(ids[i]));
      quoted.text = to_json(piece["text"]);
      if (piece.contains("text_bytes")) quoted.bytes = piece["text_bytes"].dump();
    }
    out += i == 0 ? "" : ",";
    out += quoted.text;
    if (!quoted.bytes.empty()) {
      pieces_bytes += fmt::format("{}\"{}\":{}", pieces_bytes.empty() ? "" : ",", i, quoted.bytes);
    }
  }
  out += "]";
  if (!pieces_bytes.empty()) out += ",\"pieces_bytes\":{" + pieces_bytes + "}";
  out += "}\n";
  flush(0);
}

}  // namespace rung
