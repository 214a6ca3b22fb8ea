// Reads tests/metal/selectors.tsv.
#include <fstream>
#include <map>
#include <sstream>
#include <tuple>

#include "fake_metal.h"

namespace fake_metal {
namespace {

std::vector<Selector> read() {
  std::ifstream file{METAL_SELECTORS};
  std::vector<Selector> rows;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream fields{line};
    std::string kind, ownership;
    Selector row{};
    std::getline(fields, row.owner, '\t');
    std::getline(fields, kind, '\t');
    std::getline(fields, row.name, '\t');
    std::getline(fields, row.encoding, '\t');
    std::getline(fields, ownership, '\t');
    row.kind = kind[0];
    row.gives_ownership = ownership == "owned";
    rows.push_back(row);
  }
  if (rows.empty()) throw std::runtime_error{METAL_SELECTORS ": no selectors in it"};
  return rows;
}

}  // namespace

const std::vector<Selector>& selectors() {
  static const std::vector<Selector> all = read();
  return all;
}

std::string plain(const std::string& encoding) {
  std::string text;
  for (std::size_t i = 0; i < encoding.size(); ++i) {
    if (encoding[i] == 'r') continue;
    text += encoding[i];
    if (encoding[i] != '{') continue;
    text += '?';
    while (encoding[i + 1] != '=') ++i;
  }
  return text;
}

const Selector* selector(const std::string& owner, char kind, const std::string& name) {
  using Key = std::tuple<std::string, char, std::string>;
  static const std::map<Key, const Selector*> index = [] {
    std::map<Key, const Selector*> made;
    for (const Selector& s : selectors()) made[{s.owner, s.kind, s.name}] = &s;
    return made;
  }();
  const auto found = index.find({owner, kind, name});
  return found == index.end() ? nullptr : found->second;
}

}  // namespace fake_metal
