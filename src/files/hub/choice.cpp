#include "files/hub/choice.h"

#include <algorithm>
#include <cctype>
#include <map>

#include "base/printable.h"

namespace rung {

namespace {

std::string_view file_part(std::string_view name) { return name.substr(name.rfind('/') + 1); }

// "a/model-Q8_0-00001-of-00003.gguf" → "a/model-Q8_0", which all parts of it have in common.
std::string_view stem(std::string_view name) {
  name.remove_suffix(std::string_view(".gguf").size());
  constexpr std::string_view shape = "-00000-of-00000";
  if (name.size() <= shape.size()) return name;
  const std::string_view end = name.substr(name.size() - shape.size());
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const bool fits = shape[i] == '0' ? std::isdigit(static_cast<unsigned char>(end[i])) != 0 : end[i] == shape[i];
    if (!fits) return name;
  }
  return name.substr(0, name.size() - shape.size());
}

// Is it how llama.cpp's people call a mix of types? "Q4_K_M", "IQ2_XXS", "BF16", "F32", "TQ1_0", "MXFP4_MOE"
bool is_quantization(std::string_view word) {
  const std::string text = lower_case(word);
  const auto number_after = [&](std::string_view beginning) {
    return text.starts_with(beginning) && text.size() > beginning.size() &&
           std::isdigit(static_cast<unsigned char>(text[beginning.size()])) != 0;
  };
  return number_after("q") || number_after("iq") || number_after("tq") || text == "bf16" || text == "f16" ||
         text == "f32" || text == "fp16" || text == "fp32" || text.starts_with("mxfp4");
}

// The end of a name: after the last '-' or '.', with "UD-" before it where that stands there.
std::string quantization_in(std::string_view stem_of_file) {
  const std::size_t cut = stem_of_file.find_last_of("-.");
  if (cut == stem_of_file.npos || !is_quantization(stem_of_file.substr(cut + 1))) {
    return std::string(is_quantization(stem_of_file) ? stem_of_file : std::string_view());
  }
  const std::string_view before = stem_of_file.substr(0, cut);
  const bool dynamic = before.size() > 3 && lower_case(before.substr(before.size() - 3)) == "-ud";
  return std::string(stem_of_file.substr(dynamic ? cut - 2 : cut + 1));
}

std::string human(std::uint64_t bytes) {
  const auto amount = static_cast<double>(bytes);
  if (bytes < 1'000'000) return fmt::format("{:.0f} kB", amount / 1e3);
  return bytes < 1'000'000'000 ? fmt::format("{:.0f} MB", amount / 1e6) : fmt::format("{:.1f} GB", amount / 1e9);
}

std::string listed(std::vector<GgufModel> models) {
  std::stable_sort(models.begin(), models.end(),
                   [](const GgufModel& a, const GgufModel& b) { return a.bytes() < b.bytes(); });
  std::string out;
  for (const GgufModel& m : models) {
    out += fmt::format("{}:{} ({})", out.empty() ? "" : ", ", printable(m.quantization), human(m.bytes()));
  }
  return out;
}

bool is_called(const GgufModel& model, const std::string& wanted) {
  const std::string name = lower_case(model.files.front().name);
  return lower_case(model.quantization) == wanted || name == wanted || file_part(name) == wanted ||
         file_part(stem(name)) == wanted;
}

}  // namespace

std::uint64_t GgufModel::bytes() const {
  std::uint64_t sum = 0;
  for (const HubFile& f : files) sum += f.size;
  return sum;
}

std::vector<GgufModel> gguf_models(std::span<const HubFile> files) {
  std::map<std::string, GgufModel, std::less<>> by_stem;
  for (const HubFile& file : files) {
    const std::string name = lower_case(file_part(file.name));
    if (!name.ends_with(".gguf") || name.starts_with("mmproj") || name.find("imatrix") != name.npos) continue;
    by_stem[std::string(stem(file.name))].files.push_back(file);
  }
  std::vector<GgufModel> models;
  for (auto& [name, model] : by_stem) {
    std::sort(model.files.begin(), model.files.end(),
              [](const HubFile& a, const HubFile& b) { return a.name < b.name; });
    model.quantization = quantization_in(file_part(name));
    models.push_back(std::move(model));
  }
  // a name that is none, or that another has too, tells nobody apart: then the file's own
  std::map<std::string, int> times;
  for (const GgufModel& m : models) ++times[lower_case(m.quantization)];
  for (GgufModel& m : models) {
    if (m.quantization.empty() || times[lower_case(m.quantization)] > 1)
      m.quantization = file_part(stem(m.files[0].name));
  }
  return models;
}

const GgufModel& choose(const std::vector<GgufModel>& models, std::string_view quantization, const std::string& where) {
  if (quantization.empty() && models.size() == 1) return models.front();
  const std::string wanted = lower_case(quantization.empty() ? "Q4_K_M" : quantization);
  for (const GgufModel& model : models) {
    if (is_called(model, wanted)) return model;
  }
  if (quantization.empty())
    throw UnclearChoice(fmt::format("{} holds {} models, say which: {}", where, models.size(), listed(models)));
  throw UnclearChoice(
      fmt::format("{} holds no :{}, expected one of: {}", where, printable(quantization), listed(models)));
}

bool is_beside_weights(std::string_view file) {
  for (const std::string_view folder : {"additional_chat_templates/", "chat_templates/"}) {
    if (file.starts_with(folder)) {
      return file.ends_with(".jinja") && file.find('/', folder.size()) == file.npos;
    }
  }
  for (const std::string_view name :
       {"config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
        "added_tokens.json", "chat_template.jinja", "chat_template.json", "tokenizer.model"}) {
    if (file == name) return true;
  }
  return false;
}

bool has_safetensors(const HubRepository& repository) {
  return repository.find(kWeightsName) != nullptr || repository.find(kIndexName) != nullptr;
}

}  // namespace rung
