// The parts of `rung inspect`: each makes JSON, and prints that JSON for people.  Milestone M1.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "engine/loaded_model.h"
#include "files/tensor_map.h"

namespace rung {

// Members of such JSON.
inline std::string text_in(const OrderedJson& object, const char* key) { return object[key].get<std::string>(); }
inline std::size_t count_in(const OrderedJson& object, const char* key) { return object[key].get<std::size_t>(); }

// The beginning of a text that is too long for a table, and an ellipsis. Whole characters.
std::string shortened(std::string text);

// Family, shapes, parameters, memory, tokenizer, template. `context_tokens` 0: what the model was made for. `cache`:
// what keys and values are kept as. What the files do not say, or say in a way that Rung cannot run, is left out, and
// `problems` says why.
enum class Look { whole, headers };  // headers: of a folder's tokenizer nothing is known
OrderedJson describe_model(const ModelFiles& files, std::size_t context_tokens, DType cache = DType::f16,
                           Look look = Look::whole);
std::string model_text(const OrderedJson& model);

// Would it run, and how much of its context fits into this machine's memory. Reads the shapes of the weights alone.
// With Predict::speed also how fast this machine can run it at most: its bandwidth and peaks are measured for it.
enum class Predict { nothing, speed };
OrderedJson describe_running(const ModelFiles& files, const OrderedJson& model, DType cache, Predict predict);
std::string running_text(const OrderedJson& running);

// Name, type, shape, bytes and bits a weight of every tensor.
OrderedJson describe_tensors(const TensorMap& tensors);
std::string tensors_text(const OrderedJson& tensors);

// Every key with its type and value.  Arrays longer than `array_limit` are cut there; "size" keeps their length.
OrderedJson describe_metadata(const ModelFiles& files, std::size_t array_limit);
OrderedJson describe_metadata(const std::map<std::string, std::string>& notes);  // of a safetensors file
std::string metadata_text(const OrderedJson& metadata);

// What the values of a tensor are like. NaN and infinities are counted, and left out of the rest.
struct TensorStatistics {
  std::size_t values = 0, zeros = 0, nans = 0, infinities = 0;
  double min = 0, max = 0, mean = 0, rms = 0;
  std::vector<std::size_t> histogram;  // equal steps from min to max
};
TensorStatistics statistics(const FileTensor& tensor, std::size_t bins);

// Statistics, histogram, and the first block's bytes beside its values.
OrderedJson describe_tensor(const FileTensor& tensor);
std::string tensor_text(const OrderedJson& tensor);

}  // namespace rung
